/** B14: images of a family in Dockerfiles, which an engine finds by their registry. */
import { expect, test } from 'vitest';
import { withFullNames } from '../../../functions/families/full-names.ts';
import { memberOf } from '../../../functions/families/order.ts';
import { baseImages } from '../../../shared/dockerfile/bases.ts';

const uri = 'reg.example/acme/lab/base:1';
const whose = memberOf([{ uri, repository: 'lab/base', tag: '1' }]);
const named = (dockerfile: string, buildArgs?: Record<string, string>) =>
  withFullNames({ dockerfile, ...(buildArgs ? { buildArgs } : {}) }, whose);

test('a short name in the text gets its registry; a full one stays as it is written', () => {
  expect(named('FROM "lab/base:1"\nCOPY --from=lab/base:1 /a /\n').dockerfile).toBe(
    `FROM ${uri}\nCOPY --from=${uri} /a /\n`,
  );
  for (const dockerfile of [`FROM "${uri}"\n`, 'FROM python:3\n', 'FROM lab/base:2\n'])
    expect(named(dockerfile)).toEqual({ dockerfile });
});

test.each(['$BASE_IMG', `\${BASE_IMG}`, `\${BASE_IMG:-python:3}`])(
  'of FROM %s the argument gets the full name, so that another one counts later',
  (from) => {
    const dockerfile = `ARG BASE_IMG\nFROM ${from}\nRUN true\n`;
    const { buildArgs, ...rest } = named(dockerfile, { BASE_IMG: 'lab/base:1', OTHER: 'x' });
    expect(rest.dockerfile).toBe(dockerfile);
    expect(buildArgs).toEqual({ BASE_IMG: uri, OTHER: 'x' });
    expect(baseImages(rest.dockerfile, { BASE_IMG: 'other.example/x:2' })).toEqual(['other.example/x:2']);
    // Where it is the full name already there is nothing to do.
    expect(named(dockerfile, { BASE_IMG: uri })).toEqual({ dockerfile, buildArgs: { BASE_IMG: uri } });
  },
);

test('the default of an argument stays in the Dockerfile, and the build is given the full name', () => {
  const dockerfile = 'ARG BASE_IMG=lab/base:1\nFROM $BASE_IMG\n';
  expect(named(dockerfile)).toEqual({ dockerfile, buildArgs: { BASE_IMG: uri } });
});

test.each([
  ['ARG TAG\nFROM lab/base:$TAG\n', { TAG: '1' }],
  ['ARG NAME\nFROM $NAME:1\n', { NAME: 'lab/base' }],
  ['ARG A\nFROM $A AS x\nFROM other/$A\nCOPY --from=x / /\n', { A: 'lab/base:1' }],
  ['FROM scratch\n', { BUILDKIT_SYNTAX: 'lab/base:1' }],
])('a short name that %j only has a part of is refused', (dockerfile, buildArgs) => {
  expect(() => named(dockerfile, buildArgs)).toThrow(/\/dockerfile: .*(full URI|Write the URI)/);
});
