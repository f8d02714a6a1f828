"""The plain texts that lie in course folders."""

TEXTS = {
    "working": """\
Zo werken we

Je hebt altijd mee: je map, je agenda en iets om te schrijven.
Huiswerk staat op het platform, ten laatste om vier uur.
Was je ziek? Kijk eerst wat er bij de les staat en vraag daarna de rest aan een klasgenoot.
Lukt iets niet? Zeg het. Daar is de les voor.
""",
    "formulas": """\
Formules om te onthouden

Omtrek van een rechthoek     2 x (lengte + breedte)
Oppervlakte van een driehoek basis x hoogte : 2
Oppervlakte van een cirkel   pi x straal x straal
Rechthoekige driehoek        a x a + b x b = c x c
Gemiddelde                   som van de waarden : aantal waarden
""",
    "reading": """\
Leeslijst

Kies er drie uit voor het einde van het trimester:
- een verhaal dat zich in jouw streek afspeelt
- een boek dat vertaald is
- een dichtbundel of een stripverhaal
- een boek dat je ouders lazen toen ze zo oud waren als jij

Noteer telkens: waarover gaat het, welke zin blijft hangen, aan wie raad je het aan?
""",
    "verbs": """\
Irregular verbs

be      was/were  been     zijn
begin   began     begun    beginnen
bring   brought   brought  brengen
come    came      come     komen
eat     ate       eaten    eten
forget  forgot    forgotten vergeten
go      went      gone     gaan
know    knew      known    weten, kennen
see     saw       seen     zien
write   wrote     written  schrijven
""",
    "declensions": """\
Verbuigingen

            enkelvoud   meervoud
nominatief  rosa        rosae
genitief    rosae       rosarum
datief      rosae       rosis
accusatief  rosam       rosas
ablatief    rosa        rosis

nominatief  servus      servi
genitief    servi       servorum
datief      servo       servis
accusatief  servum      servos
ablatief    servo       servis
""",
    "silence": """\
Een minuut stilte

Ga goed zitten, voeten op de grond.
Luister naar het verste geluid dat je hoort.
Luister daarna naar het dichtste.
Waarvoor was je vandaag dankbaar? Je hoeft het niet te zeggen.
""",
}
