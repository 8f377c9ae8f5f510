/** B6, B8: which images a Dockerfile names, in every form that we know of: what we read is what BuildKit asks for. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocker, findDocker } from '../../builder/docker.ts';
import { requireHeredocs } from '../../builder/heredocs.ts';
import { resolvedIn } from '../../builder/resolved-images.ts';
import { baseImages, pinArgs, pinBases } from '../../shared/dockerfile/bases.ts';
import { sha256 } from '../shared/registry/servers.ts';
import { type AnyImages, startAnyImages } from './any-images.ts';
import { unique } from './client.ts';

let registry: AnyImages;
let folder: string;
let client: string;
const run = unique('run');

beforeAll(async () => {
  registry = await startAnyImages();
  folder = await mkdtemp(join(tmpdir(), 'slipway-forms-'));
  client = await findDocker();
});
afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const docker = () => createDocker(client, join(folder, 'config'));

/** Images that the engine named in its output of the last build. */
const told = new Set<string>();

/** Names of the images that the engine asks the registry for, building this. */
async function askedFor(dockerfile: string, buildArgs: Record<string, string>): Promise<string[]> {
  registry.asked.length = 0;
  const file = join(folder, 'Dockerfile');
  await writeFile(file, dockerfile);
  const args = Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const quiet = () => undefined;
  told.clear();
  await docker().run(['build', '--progress=plain', '--tag', run, '--file', file, ...args, folder], (line) => {
    const image = resolvedIn(line);
    if (image !== undefined) told.add(image);
  });
  await docker().run(['rmi', '--force', run], quiet);
  const names = registry.asked.flatMap(({ url }) => /^\/v2\/(.+)\/manifests\//.exec(url)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Without the registry in front and the tag behind. */
function namesOf(images: string[]): string[] {
  const ours = images.filter((one) => one.startsWith(`${registry.host}/`));
  const names = ours.map((one) => one.slice(registry.host.length + 1).replace(/[:@].*$/, ''));
  return [...new Set(names)].sort();
}

/** What we read. */
const read = (dockerfile: string, buildArgs: Record<string, string>) =>
  namesOf(baseImages(dockerfile, buildArgs));

const variable = (inside: string) => `$\{${inside}}`;
const copies = (...flags: string[]) => flags.map((flag) => `COPY ${flag} /x /copied/`);
/** `R/` stands for the registry; a name is one image of its own. */
const forms: [name: string, lines: string[], buildArgs?: Record<string, string>][] = [
  ['from in small letters, tabs, Windows', ['from\tR/a\r', 'COPY --from=R/b /x /y\r']],
  ['FROM --platform, AS', ['FROM --platform=$BUILDPLATFORM R/a AS one', 'FROM one']],
  ['FROM in quotes', ['FROM "R/a"', 'COPY --from="R/b" /x /y', "COPY '--from'=R/c /x /y"]],
  ['quotes and escapes within a name', ['FROM R/a"bc"\\d', 'COPY --from=R/b"c"\\d /x /y']],
  ['an argument and its default', ['ARG BASE=R/a', `FROM ${variable('BASE')}`]],
  ['an argument that is given', ['ARG BASE=R/a', 'FROM $BASE'], { BASE: 'R/b' }],
  ['an argument in quotes', ['ARG BASE="R/a"', "ARG TAG='b'", `FROM "$BASE${variable('TAG')}"`]],
  ['an argument of arguments', ['ARG ONE=a', 'ARG TWO=R/$ONE', 'FROM $TWO']],
  ['an argument that is declared later', ['ARG TWO=R/a$ONE', 'ARG ONE=b', 'FROM $TWO']],
  ['an argument without a value', ['ARG NONE', `FROM R/a${variable('NONE')}`]],
  [
    ':- and :+',
    [
      'ARG SET=x',
      `FROM R/a${variable('UNSET:-b')}${variable('SET:+c')}${variable('UNSET:+d')}${variable('SET:-e')}`,
    ],
  ],
  ['a default within a default', [`FROM ${variable(`A:-${variable('B:-R/a')}`)}`]],
  ['a default in quotes', [`FROM R/${variable('A:-"b"')}${variable("A:-'c'")}`]],
  ['what the engine itself sets', ['FROM R/a-$TARGETARCH-$BUILDOS']],
  ['what the engine sets, set otherwise', ['FROM R/a-$TARGETARCH'], { TARGETARCH: 'z80' }],
  [
    'arguments of a stage are none of FROM',
    ['FROM R/a AS one', 'ARG B=R/b', `FROM ${variable('B:-R/c')}`, ...copies('--from=one')],
  ],
  ['stages in other letters', ['FROM R/a AS One', 'FROM one AS two', ...copies('--from=ONE', '--from=0')]],
  [
    'stages that the last one does not need, and what they need',
    [
      'FROM R/a AS unused',
      'COPY --from=R/b /x /y',
      'FROM R/c AS dev',
      ...copies('--from=unused'),
      'FROM dev AS test',
      'FROM R/d',
    ],
  ],
  ['a stage that is needed by its number', ['FROM R/a', 'FROM R/b', 'FROM R/c', ...copies('--from=1')]],
  [
    'a stage that is needed by a mount',
    ['FROM R/a AS one', 'FROM R/b AS two', 'FROM R/c', 'RUN --mount=from=Two,target=/b ["/x"]'],
  ],
  [
    'stages that are needed through others',
    [
      'FROM R/a AS one',
      'FROM R/b AS two',
      ...copies('--from=one'),
      'FROM R/c AS three',
      'FROM two AS four',
      'FROM R/d',
      ...copies('--from=four'),
    ],
  ],
  [
    'two stages of one name',
    ['FROM R/a AS one', 'FROM one AS two', 'FROM R/b AS one', 'FROM R/c', ...copies('--from=one')],
  ],
  ['a stage that hides an image', ['FROM R/a AS busybox', 'FROM busybox', ...copies('--from=busybox')]],
  [
    'flags before and after --from',
    copies('--chown=1:1 --from=R/b', '--from=R/c --chown=1:1').toSpliced(0, 0, 'FROM R/a'),
  ],
  ['--from among the arguments', ['FROM R/a', 'COPY --chown=1 x --from=R/b /y']],
  ['COPY as a list', ['FROM R/a', 'COPY --from=R/b ["/x", "/y"]']],
  ['COPY --from=scratch', ['FROM R/a', 'COPY --from=scratch / /y']],
  ['mounts', ['FROM R/a', 'RUN --mount=type=bind,from=R/b,target=/b --mount=from=R/c,target=/c ["/x"]']],
  ['mounts in capitals', ['FROM R/a', 'RUN --mount=FROM=R/b,TARGET=/b ["/x"]']],
  [
    'mounts in quotes',
    ['FROM R/a', 'RUN --mount="type=bind,from=R/b,target=/b" --mount=\'"from=R/c",target=/c\' ["/x"]'],
  ],
  ['mounts named twice', ['FROM R/a', 'RUN --mount=from=R/b,from=R/c,target=/b ["/x"]']],
  [
    'mounts of a stage, and of a cache',
    [
      'FROM R/a AS one',
      'FROM R/b',
      'RUN --mount=from=ONE,target=/b --mount=type=cache,from=R/c,target=/c ["/x"]',
    ],
  ],
  ['what a command does with --mount', ['FROM R/a', 'RUN /x --mount=from=R/b,target=/b']],
  ['continued lines', ['FROM \\', '  R/a\\', 'bc \\', 'AS one', 'FROM one']],
  [
    'comments and empty lines within',
    ['FROM R/a', 'COPY \\', '# FROM R/b', '   # "', '', '--from=R/c \\', '/x /y'],
  ],
  ['spaces behind the escape character', ['FROM \\  ', 'R/a']],
  ['an escape character that is escaped', ['FROM R/a', 'ENV A=b\\\\', 'COPY --from=R/b /x /y']],
  ['another escape character', ['# escape=`', 'FROM `', 'R/a', 'COPY --from=R/b `', '/x /y']],
  ['an escape character named too late', ['', '# escape=`', 'FROM R/a', 'COPY --from=R/b \\', '/x /y']],
  ['a byte order mark', ['\uFEFFFROM R/a']],
  ['a byte order mark before a directive', ['\uFEFF# escape=`', 'FROM `', 'R/a']],
  ['# syntax', ['# syntax=R/front', 'FROM scratch']],
  ['#syntax with more behind it', ['#Syntax = R/front and more', 'FROM scratch']],
  ['# syntax below another directive', ['# escape=`', '# syntax=R/front', 'FROM scratch']],
  ['# syntax below a comment is none', ['# hello', '# syntax=R/front', 'FROM R/a']],
  [
    'the program that an argument names',
    ['# syntax=R/front', 'FROM scratch'],
    { BUILDKIT_SYNTAX: 'R/other more' },
  ],
  [
    'ONBUILD that nothing sets off',
    ['FROM R/a', 'ONBUILD COPY --from=R/b /x /y', 'ONBUILD RUN --mount=from=R/c,target=/c ["/x"]'],
  ],
  [
    'what looks like a here-document',
    ['FROM R/a', 'ENV A="<<EOF"', 'LABEL b="<<EOF"', 'COPY --from=R/b /x /y'],
  ],
  ['here-documents that are none', ['FROM R/a', 'RUN ["/x", "<<EOF"]', 'COPY --from=R/b /x /y']],
  [
    'here-documents in quotes',
    ['FROM R/a', 'COPY --from=R/b /x /y', 'RUN /x "<<EOF"', 'COPY --from=R/c /x /y'],
  ],
];

describe('B6 B8 what we read is what BuildKit asks for', () => {
  const inRegistry = (text: string) => text.replaceAll('R/', `${registry.host}/`);

  it.each(forms)('%s', async (form, lines, given = {}) => {
    const text = inRegistry(`${lines.join('\n')}\n`);
    const buildArgs = Object.fromEntries(Object.entries(given).map(([name, one]) => [name, inRegistry(one)]));
    const names = read(text, buildArgs);
    expect(await askedFor(text, buildArgs)).toEqual(names);
    expect(namesOf([...told])).toEqual(names);
    // Pinned, the engine asks for the same images, whatever it has of them by other digests.
    const pins = baseImages(text, buildArgs).map((one) => [
      one,
      sha256(registry.manifestOf(`${form} ${one}`, 'pinned')),
    ]);
    const digests: Record<string, string> = Object.fromEntries(pins);
    const pinned = pinBases(text, buildArgs, digests);
    expect(await askedFor(pinned, pinArgs(buildArgs, digests)), pinned).toEqual(names);
    expect(registry.asked.every(({ url }) => !/manifests\/(?!sha256:)/.test(url))).toBe(true);
  });

  it('here-documents are text, or the build is refused: no engine takes their lines for instructions', async () => {
    const text = inRegistry(
      'FROM R/a\nCOPY <<EOF <<-"END" /y/\nFROM R/b\nEOF\nCOPY --from=R/c /x /z\n\tEND\n',
    );
    expect(read(text, {})).toEqual(['a']);
    const refusal = await requireHeredocs({ dockerfile: text, buildArgs: {} }, docker()).catch(
      (error) => error,
    );
    if (refusal) expect(refusal).toMatchObject({ failure: { code: 'dockerfile-invalid' } });
    else expect(await askedFor(text, {})).toEqual(['a']);
    // Another program is to read it: whatever the engine knows.
    await requireHeredocs({ dockerfile: `# syntax=x\n${text}`, buildArgs: {} }, docker());
    await requireHeredocs(
      { dockerfile: inRegistry('FROM R/a\nRUN echo "<<EOF"\n'), buildArgs: {} },
      docker(),
    );
  });

  it('asks for nothing of what the engine refuses', async () => {
    for (const text of ['FROM R/a AS b\nFROM B\n', 'FROM $NOTHING\n', `FROM ${variable('A')}R/"\n`, 'FROM\n'])
      expect(await askedFor(inRegistry(text), {}), text).toEqual([]);
  });
});
