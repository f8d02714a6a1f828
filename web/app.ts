/** On every page: the styles, htmx, and small behaviours that pages do without when scripts are off. */
import "./styles/app.css";
import { makeHtmxPolite } from "./gate/page";
import { openDialogs } from "./page/dialogs";
import { showConnection } from "./page/connection";
import { revealPasswords } from "./page/passwords";
import { sendOnce } from "./page/sending";

makeHtmxPolite();
sendOnce();
revealPasswords();
openDialogs();
showConnection();

// Islands import these from here: the page has this file already, so that they wait for no other.
export { fetchPolitely, isRefusal, secondsIn } from "./gate/courtesy";
export { courtesy } from "./gate/page";
