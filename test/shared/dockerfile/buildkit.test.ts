/**
 * What BuildKit itself asks for. Each line of `buildkit.ndjson` has a Dockerfile and, by version of BuildKit, the images that
 * its frontend (`dockerfile2llb`, `DetectSyntax`) resolves for it, all of them or those before an error. 0.8.3 is Docker
 * 20.10's, 0.13.2 is Docker 26's, 0.20.2 is Docker 28's. Where `# syntax=docker/dockerfile:1` names the newest frontend,
 * only that one is asked.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { baseImages, pinBases, pullingArgs, unclearBases } from '../../../shared/dockerfile/bases.ts';
import { formatReference, parseLocation, withTag } from '../../../shared/registry/reference.ts';

const caseSchema = z.strictObject({
  about: z.string(),
  dockerfile: z.string(),
  buildArgs: z.record(z.string(), z.string()).default({}),
  /** We refuse it. */
  refused: z.boolean().default(false),
  buildkit: z.record(
    z.string(),
    z.object({ images: z.array(z.string()), error: z.boolean().default(false) }),
  ),
});

const cases = readFileSync(new URL('buildkit.ndjson', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => caseSchema.parse(JSON.parse(line)));

function fullName(image: string): string {
  const { reference } = withTag(parseLocation(image));
  return formatReference({ ...reference, host: reference.host.toLowerCase() });
}

function fullNames(images: string[]): string[] {
  return images.flatMap((image) => {
    try {
      return [fullName(image)];
    } catch {
      // No engine could ask for it.
      return [];
    }
  });
}

describe.each([...new Set(cases.map(({ about }) => about))])('B6 B8 %s', (about) => {
  const ofKind = cases.filter((one) => one.about === about);
  test.each(ofKind.map((one) => [JSON.stringify(one.dockerfile), one] as const))(
    '%s',
    (_, { dockerfile, buildArgs, refused, buildkit }) => {
      const unclear = unclearBases(dockerfile, buildArgs);
      expect(unclear !== undefined || pullingArgs(buildArgs).length > 0, unclear?.why).toBe(refused);
      if (unclear) expect(unclear).toEqual({ line: expect.any(Number), why: expect.stringMatching(/.{20}/) });
      if (refused) return;
      const ours = fullNames(baseImages(dockerfile, buildArgs));
      for (const { images } of Object.values(buildkit))
        expect(ours).toEqual(expect.arrayContaining(images.map(fullName)));
    },
  );
});

test('what engines read alike is not refused', () => {
  const alike = cases.filter(({ buildkit }) => {
    const all = Object.values(buildkit).map(({ images, error }) => `${error} ${[...images].sort()}`);
    return new Set(all).size === 1 && all[0]?.startsWith('false');
  });
  const refused = alike.filter((one) => one.refused).map(({ dockerfile }) => dockerfile);
  // Bytes that end a flag, numbers that are names: all engines do the same, but nobody would expect it.
  expect(refused.filter((text) => !/[à全]|--from=9+|\r\r/.test(text))).toEqual([]);
  expect(alike.length).toBeGreaterThan(200);
});

test('a pinned Dockerfile names the same images, by digest', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  for (const { dockerfile, buildArgs, refused } of cases) {
    if (refused) continue;
    const images = baseImages(dockerfile, buildArgs);
    // A program that is pinned may be as old as anybody likes, and is read as such.
    if (fullNames(images).length < images.length || images[0] === 'docker/dockerfile:1') continue;
    const pinned = pinBases(dockerfile, buildArgs, Object.fromEntries(images.map((one) => [one, digest])));
    expect(unclearBases(pinned, buildArgs), pinned).toBeUndefined();
    const expected = images.map((one) => (one.includes('@') ? one : `${one}@${digest}`));
    if (!Object.hasOwn(buildArgs, 'BUILDKIT_SYNTAX'))
      expect(baseImages(pinned, buildArgs), pinned).toEqual(expected);
  }
});
