// Origins in JavaScript, which need nothing but the packages of package.json.
import { shown } from "./support/shown.mjs";

shown({ name: "typescript-sdk", carrier: "bearer", revision: "2026-07-28" });
shown({ name: "typescript-sdk-1", carrier: "bearer", revision: "2025-11-25" });
shown({ name: "assertion-header", carrier: "header", revision: "2026-07-28" });
shown({ name: "plain", carrier: "secret", revision: "2025-11-25" });
