// The page works without scripts. With them it is live, and can be used by keyboard.

import "./act.js";
import { begin as keys } from "./keys.js";
import { begin as live } from "./live.js";

keys();
live();
