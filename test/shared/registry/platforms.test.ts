import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  choosePlatform,
  formatPlatform,
  isPlatform,
  parsePlatform,
} from '../../../shared/registry/platforms.ts';

const read = (text: string) => {
  const platform = parsePlatform(text);
  if (!platform) throw new Error(`${text} is no platform`);
  return platform;
};
const choose = (offered: string[], wanted?: string) => {
  const chosen = choosePlatform(
    offered.map((text) => ({ platform: read(text) })),
    wanted === undefined ? undefined : read(wanted),
  );
  return chosen && formatPlatform(chosen.platform);
};

describe('I6 the platform of an image', () => {
  const many = ['linux/arm/v6', 'linux/arm/v7', 'linux/arm64', 'linux/amd64', 'linux/386', 'windows/amd64'];

  it.each([
    [undefined, 'linux/amd64'],
    ['linux/amd64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/i386', 'linux/386'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/armel', 'linux/arm/v6'],
    ['windows/x86_64', 'windows/amd64'],
    ['linux/arm/v5', undefined],
    ['linux/amd64/v3', undefined],
    ['linux/s390x', undefined],
  ])('%s is %s of many', (wanted, chosen) => {
    expect(choose(many, wanted)).toBe(chosen);
  });

  it('is of several variants the usual one, else the first there is', () => {
    expect(choose(['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64'])).toBe('linux/amd64');
    expect(choose(['linux/amd64/v3', 'linux/amd64/v2'])).toBe('linux/amd64/v3');
    expect(choose(['linux/arm/v5', 'linux/arm/v6'], 'linux/arm')).toBe('linux/arm/v5');
    expect(choose(['linux/s390x', 'linux/ppc64le'])).toBe('linux/s390x');
    expect(choose([])).toBeUndefined();
  });

  it('is itself, whatever it is', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    fc.assert(
      fc.property(name, name, fc.option(name, { nil: undefined }), (os, architecture, variant) => {
        const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
        expect(isPlatform(platform, platform)).toBe(true);
        expect(choose([formatPlatform(platform)], formatPlatform(platform))).toBe(formatPlatform(platform));
      }),
    );
  });
});
