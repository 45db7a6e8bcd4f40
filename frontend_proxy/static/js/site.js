// What the pages gain with JavaScript. Every form works without it.
import { enhanceProduct } from "./product.js";
import { keepFormsSingle } from "./forms.js";
import { offerToReveal } from "./passwords.js";
import { takePictures } from "./pictures.js";
import { watchConnection } from "./connection.js";
import { suggest } from "./suggestions.js";
import { followOrder, openFilters, raiseDialogs, sendQuantities } from "./shop.js";

// Before the others: they send their forms by themselves.
enhanceProduct(document);
takePictures(document);
keepFormsSingle(document);
offerToReveal(document);
watchConnection(document);
suggest(document);
openFilters(document);
sendQuantities(document);
followOrder(document);
raiseDialogs(document);
