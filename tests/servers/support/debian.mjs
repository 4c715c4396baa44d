// Programs from Debian packages, without installing them: the packages and what they need are
// fetched by apt-get and unpacked below dist/servers. No script of theirs runs, no service starts,
// and the system stays as it was. It is done only where somebody wants it: see WANTED.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../e2e/support/bundle.mjs";
import { Missing } from "../../e2e/support/packages.mjs";

const run = promisify(execFile);
const FOLDER = join(ROOT, "dist", "servers");
const FETCH_MS = 600_000;
const WANTED = process.env.MCP_EDGE_AUTH_APT === "1" || process.env.CI;

/**
 * Unpacks a package of an upstream version, such as "2.7", with what it needs, and with `more`,
 * which it only recommends: { root, env }.
 */
export async function unpacked(name, upstream, more = []) {
  if (!WANTED) throw new Missing("with MCP_EDGE_AUTH_APT=1, its Debian packages are fetched");
  if (!existsSync("/etc/debian_version")) throw new Missing("its packages are Debian's, and this is no Debian");
  const version = await candidate(name);
  if (!version.startsWith(`${upstream}.`)) throw new Missing(`Debian has ${version} here, and ${upstream} was tried`);
  const { stdout } = await run("apt-get", ["install", "--simulate", "--no-install-recommends", name, ...more]);
  const packages = [...stdout.matchAll(/^Inst (\S+) .*?\((\S+)/gm)].map(([, one, of]) => `${one}=${of}`);
  const root = join(FOLDER, `${name}-${createHash("sha256").update(packages.join()).digest("hex").slice(0, 16)}`);
  if (!existsSync(root)) await unpack(packages, root);
  return { root, env: await environment(root) };
}

/** The version that apt would install. What it knows is renewed if it knows nothing. */
async function candidate(name) {
  const ask = async () => /Candidate: (\S+)/.exec((await run("apt-cache", ["policy", name])).stdout)?.[1] ?? "(none)";
  const known = await ask();
  if (known !== "(none)") return known;
  if (process.getuid() !== 0) throw new Missing(`apt knows no package ${name}; \`apt-get update\` may help`);
  await run("apt-get", ["update"], { timeout: FETCH_MS });
  return ask();
}

async function unpack(packages, root) {
  const draft = `${root}.draft-${process.pid}`;
  const fetched = join(draft, "fetched");
  try {
    await mkdir(fetched, { recursive: true });
    await run("apt-get", ["download", "--quiet", ...packages], { cwd: fetched, timeout: FETCH_MS });
    for (const file of await readdir(fetched)) await run("dpkg-deb", ["--extract", join(fetched, file), draft]);
    await rm(fetched, { recursive: true });
    await rename(draft, root); // complete or not there at all
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Has programs, libraries and Perl modules found below `root` first. */
async function environment(root) {
  const lib = join(root, "usr", "lib");
  const [triplet = ""] = (await readdir(lib)).filter((name) => name.endsWith("-linux-gnu"));
  const perl = [];
  for (const folder of [join(root, "usr", "share"), join(lib, triplet)]) {
    for (const name of ["perl5", "perl"]) {
      const versions = existsSync(join(folder, name)) ? await readdir(join(folder, name)) : [];
      perl.push(join(folder, name), ...versions.filter((one) => /^5\.\d+$/.test(one)).map((one) => join(folder, name, one)));
    }
  }
  return {
    PATH: [join(root, "usr", "bin"), join(root, "bin"), process.env.PATH].join(delimiter),
    LD_LIBRARY_PATH: join(lib, triplet),
    PERL5LIB: perl.filter((folder) => existsSync(folder)).join(delimiter),
  };
}
