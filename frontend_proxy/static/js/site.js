// What the pages gain with JavaScript. Every form works without it.
import { keepFormsSingle } from "./forms.js";
import { offerToReveal } from "./passwords.js";
import { watchConnection } from "./connection.js";

keepFormsSingle(document);
offerToReveal(document);
watchConnection(document);
