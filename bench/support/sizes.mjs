// What origin and client agree on.
export const EVENTS = 1000;
export const MIB = 1024 * 1024;
/** What the origin's answers say of CORS. */
export const ORIGINS_OWN = "https://origin.example.com";
