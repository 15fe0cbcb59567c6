// Every page: htmx plus the small behaviours. All are delegated, so swapped-in fragments work too.
import "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-sse.js";
import "./behaviours/dialogs.js";
import "./behaviours/confirm.js";
import "./behaviours/preferences.js";
import "./behaviours/menus.js";
import "./behaviours/row-links.js";
import "./behaviours/print.js";
import "./behaviours/search.js";
import "./behaviours/job-events.js";
