// What origin and client agree on.
export const EVENTS = 1000;
export const MIB = 1024 * 1024;
