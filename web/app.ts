/** On every page: the styles, htmx, and small behaviours that pages do without when scripts are off. */
import "./styles/app.css";
import "htmx.org";
import { openDialogs } from "./page/dialogs";
import { showConnection } from "./page/connection";
import { revealPasswords } from "./page/passwords";
import { sendOnce } from "./page/sending";

sendOnce();
revealPasswords();
openDialogs();
showConnection();
