/** On every page: the styles, htmx, and small behaviours that pages do without when scripts are off. */
import "./styles/app.css";
import { makeHtmxPolite } from "./gate/page";
import { showConnection } from "./page/connection";
import { closeMenus } from "./page/menus";
import { revealPasswords } from "./page/passwords";
import { offerNextStep } from "./page/refusals";
import { sendOnce } from "./page/sending";

makeHtmxPolite();
sendOnce();
revealPasswords();
closeMenus();
showConnection();
offerNextStep();

// Islands import these from here: the page has this file already, so that they wait for no other.
export { fetchPolitely, isRefusal, secondsIn } from "./gate/courtesy";
export { courtesy } from "./gate/page";
