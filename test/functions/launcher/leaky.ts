/** Images in which dpkg says that something is installed, and advisories about it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An advisory in the OSV format about `leaky` in Debian 12, before the version in which it is mended. */
export function writeAdvisory(folder: string, id: string, severity: string, fixed: string): void {
  const affected = {
    package: { ecosystem: 'Debian:12', name: 'leaky' },
    ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
  };
  writeFileSync(
    join(folder, `${id}.json`),
    JSON.stringify({ id, database_specific: { severity }, affected: [affected] }),
  );
}

/** Dockerfile lines of an image that has this version of `leaky`. */
export const withLeaky = (version: string): string[] => [
  String.raw`RUN mkdir -p /var/lib/dpkg && printf 'ID=debian\nVERSION_ID=12\n' >/etc/os-release`,
  String.raw`RUN printf 'Package: leaky\nStatus: install ok installed\nVersion: ${version}\n' >/var/lib/dpkg/status`,
];
