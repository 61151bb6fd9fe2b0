import { render } from "preact";
import { Page } from "./page";
import { launch } from "./state/app";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/room.css";
import "./styles/tiles.css";
import "./styles/panel.css";
import "./styles/screens.css";

render(<Page />, document.getElementById("app")!);
window.addEventListener("hashchange", () => location.reload());
void launch();
