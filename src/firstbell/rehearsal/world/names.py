"""Names as one hears them in a Flemish town, and sign-in names made of them.

The lists are made of common first and family names; nobody in particular is meant.
"""

import unicodedata
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Community:
    """Names that go together, and how many of a hundred families carry them."""

    share: int
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in text.split())


COMMUNITIES = (
    Community(
        64,
        _names(
            "Noor Emma Lotte Marie Julie Elise Louise Fien Hanne Jana Amber Nora Lore Ella Anna"
            " Olivia Mila Juliette Elena Camille Febe Lien Margot Axelle Charlotte Helena Luna Nina"
            " Roos Sien Janne Kato Linde Merel Tess Zoë Oona Pauline Ine Flore Josefien Renée Silke"
            " Laura Zita Babette Mona Fleur Elle Ariane"
        ),
        _names(
            "Lucas Liam Arthur Noah Louis Jules Adam Vic Finn Mathis Lars Milan Wout Seppe Stan"
            " Thomas Simon Kobe Robbe Daan Senne Arne Jasper Emiel Victor Warre Tuur Brent Bas Cas"
            " Lowie Kasper Mauro Rune Sem Ruben Jonas Nathan Elias Xander Mats Gust Maurice Otis"
            " Felix Leon Oscar Rik Toon Wannes"
        ),
        _names(
            "An Sofie Els Katrien Ilse Griet Leen Sarah Evi Nele Veerle Kristien Tine Inge Hilde"
            " Karen Liesbet Annelies Saskia Wendy Isabelle Kim Evelien Lies Stefanie Barbara Greet"
            " Ann Joke Heidi Eva Martine Valerie Elke"
        ),
        _names(
            "Tom Bart Koen Wim Luc Jan Peter Kris Steven Stijn Pieter Joris Dirk Geert Filip Bram"
            " Maarten Dries Sven Hans Kurt Johan Marc Nico Tim Davy Jelle Wouter Frederik Gert"
            " Patrick Raf Yves Karel"
        ),
        _names(
            "Peeters Janssens Maes Jacobs Mertens Willems Claes Goossens Wouters De_Smet Vermeulen"
            " Pauwels Dubois Hermans Aerts Michiels Lambrecht Martens De_Vos De_Clercq Smets"
            " Hendrickx Desmet Claeys Van_Damme Cools Bogaert Verhoeven Van_den_Broeck Segers"
            " Verstraete Lenaerts De_Backer Coppens Thys Van_Dyck De_Wolf Baert Callens Bosmans Wuyts"
            " Vandenberghe De_Meyer Stevens Moens Verlinden Vervoort Buyse Cornelis Declercq Devos"
            " Dierckx Evens Fransen Geerts Huybrechts Jansen Ketels Leys Naessens Ooms Pieters Raes"
            " Sterckx Timmermans Uytterhoeven Van_Acker Van_Hove Verbeke Vercammen Verheyen Wauters"
        ),
    ),
    Community(
        12,
        _names("Yasmine Amina Salma Nour Imane Hajar Aya Malak Ines Rania Sara Meryem Lina Farah Douae"),
        _names("Ilyas Mohamed Youssef Bilal Adam Amine Anas Rayan Zakaria Ibrahim Hamza Ayoub Sami Nassim Soufiane"),
        _names("Fatima Khadija Naima Samira Hanane Karima Latifa Nadia Rachida Siham"),
        _names("Rachid Mustapha Hassan Abdel Said Karim Khalid Jamal Nourdin Driss"),
        _names("El_Amrani Benali El_Idrissi Bouazza Haddad Chakir Ouali Amrani Tahiri Bennani Azzouzi El_Khatib Saidi"),
    ),
    Community(
        9,
        _names("Elif Zeynep Defne Azra Ela Melis Esra Ceren Dilara Nisa Selin Beyza"),
        _names("Emir Kerem Yusuf Mert Can Deniz Kaan Berat Efe Arda Eren Ömer"),
        _names("Ayse Fatma Emine Hatice Sevgi Gül Derya Aylin Sibel Filiz"),
        _names("Mehmet Mustafa Ali Hüseyin Murat Serkan Orhan Kemal Ibrahim Osman"),
        _names("Aydin Yilmaz Kaya Demir Çelik Sahin Öztürk Arslan Dogan Kiliç Aslan Koç Polat Yildiz"),
    ),
    Community(
        5,
        _names("Zuzanna Julia Maja Hanna Oliwia Natalia Alicja Wiktoria Lena"),
        _names("Jakub Szymon Filip Kacper Antoni Mikolaj Oskar Igor Dawid"),
        _names("Agnieszka Katarzyna Magdalena Ewa Joanna Monika Beata"),
        _names("Piotr Tomasz Marcin Pawel Krzysztof Adam Lukasz"),
        _names("Nowak Kowalczyk Wisniewski Zielinski Mazur Krawczyk Dudek Wrona Sikora Adamczyk"),
    ),
    Community(
        4,
        _names("Grâce Merveille Divine Naomi Esther Ketsia Prisca Aminata Mariama"),
        _names("Exaucé Josué Glody Emmanuel Samuel Elikia Moussa Ousmane Kofi"),
        _names("Béatrice Clarisse Chantal Mamadou_Aissa Josephine Solange Awa"),
        _names("Patrice Dieudonné Fabrice Alphonse Serge Ibrahima Kwame"),
        _names("Mbala Kabongo Ilunga Mutombo Tshibanda Diallo Bah Owusu Mensah Lukaku_Bola Nsimba"),
    ),
    Community(
        3,
        _names("Andreea Ioana Elena Daria Sofia Bianca Maria Alexandra"),
        _names("Andrei Stefan Matei Luca David Alexandru Vlad Mihai"),
        _names("Mihaela Cristina Gabriela Simona Daniela Roxana"),
        _names("Florin Marius Ionut Cosmin Bogdan Daniel"),
        _names("Popescu Ionescu Dumitru Stan Radu Munteanu Stoica Georgescu"),
    ),
    Community(
        3,
        _names("Zahra Parwana Mariam Shirin Layla Rima Tala Hala"),
        _names("Omid Farid Idris Karam Tarek Nabil Jawad Bassel"),
        _names("Roya Nasrin Hiba Rasha Zainab Shaima"),
        _names("Ahmad Walid Samir Hadi Nasir Fadi"),
        _names("Ahmadi Rahimi Karimi Noori Al-Hassan Darwish Khalil Nasser Sharifi"),
    ),
)
SHARES = tuple(community.share for community in COMMUNITIES)


def pick_community(random: Random) -> Community:
    """Draw where a family's names come from, by the shares of a middle-sized town."""
    return random.choices(COMMUNITIES, SHARES)[0]


def plain(text: str) -> str:
    """Return the name in small ASCII letters and digits only: 'El Idrissi' becomes 'elidrissi'."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i")).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters if letter.isalnum())


class SignInNames:
    """Gives out sign-in names that are unique within one school, in the order in which it is asked."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def take(self, given_name: str, family_name: str) -> str:
        """Return 'noor.vermeulen', and 'noor.vermeulen2' to the next one of that name."""
        name = f"{plain(given_name)}.{plain(family_name)}"
        count = self._taken[name] = self._taken.get(name, 0) + 1
        return name if count == 1 else f"{name}{count}"


SAINTS = _names(
    "Jozef Lutgardis Amandus Bavo Godelieve Rita Barbara Norbertus Paulus Lucas Rembert Gertrudis"
    " Ursula Dimpna Donatus Martinus Michiel Pieter Augustinus Vincentius Franciscus"
    " Gummarus Hubertus Lambertus Leo Maarten Catharina Victor Jan"
)
TREES = _names("Linde Eik Beuk Wilg Hazelaar Kastanje Berk Populier Es Iep Meidoorn Vlier Olm Esdoorn Notelaar")
QUARTERS = ("", " Noord", " Zuid", " Oost", " West")


def secondary_school_name(index: int) -> str:
    """Return the name of the secondary school with this number; the first is always Sint-Jozef."""
    per_round = len(SAINTS) + len(TREES)
    round_number, place = divmod(index, per_round)
    name = f"Sint-{SAINTS[place]}" if place < len(SAINTS) else f"Atheneum De {TREES[place - len(SAINTS)]}"
    if round_number < len(QUARTERS):
        return name + QUARTERS[round_number]
    return f"{name} {round_number + 1}"


def slug(name: str) -> str:
    """Return the name as it stands in addresses: 'De Wegwijzer' becomes 'de-wegwijzer'."""
    return "-".join(filter(None, map(plain, name.replace("-", " ").split())))
