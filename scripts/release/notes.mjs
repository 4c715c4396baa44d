// What CHANGELOG.md says of a version.

/** The text of its section, or nothing: `## [0.2.0] - 2026-12-01`, `## [Unreleased]`. */
export function notesOf(changelog, version) {
  const sections = changelog.split(/^(?=## \[)/m);
  const section = sections.find((text) => text.startsWith(`## [${version}]`));
  return section?.slice(section.indexOf("\n")).trim() || undefined;
}
