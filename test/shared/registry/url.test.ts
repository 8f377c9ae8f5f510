import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatRegistryUrl,
  InvalidRegistryUrlError,
  parseRegistryUrl,
} from '../../../shared/registry/url.ts';

const privateHosts = ['127.0.0.1', 'registry.corp:5000'];

describe('R1 registry urls', () => {
  it.each([
    ['quay.io', 'quay.io'],
    ['https://quay.io/', 'quay.io'],
    ['https://quay.io/my-team', 'quay.io/my-team'],
    ['Quay.IO/my-team/', 'quay.io/my-team'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['hub.docker.com', 'docker.io'],
    ['https://registry.example/v2/', 'registry.example'],
    ['registry.example:5000/a/b', 'registry.example:5000/a/b'],
    ['http://127.0.0.1:4782/acme', 'http://127.0.0.1:4782/acme'],
    ['http://registry.corp:5000', 'http://registry.corp:5000'],
    ['[2001:DB8::1]:5000/team', '[2001:db8::1]:5000/team'],
    ['us-docker.pkg.dev/project/repo', 'us-docker.pkg.dev/project/repo'],
  ])('reads %s as %s', (text, expected) => {
    const url = parseRegistryUrl(text, privateHosts);
    expect(formatRegistryUrl(url)).toBe(expected);
    expect(parseRegistryUrl(formatRegistryUrl(url), privateHosts)).toEqual(url);
  });

  it.each([
    ['http://quay.io', 'http://'],
    ['http://registry.corp:5001', 'http://'],
    ['ftp://quay.io', 'ftp://'],
    ['https://ada:secret@quay.io', 'credentials'],
    ['https://quay.io?x=1', 'query'],
    ['quay.io/Team', 'path'],
    ['quay.io/a/../b', 'path'],
    ['', 'host'],
    ['https://', 'host'],
    ['/team', 'host'],
    ['quay.io:99999', 'port'],
    ['quay.io:0', 'port'],
    ['[::1]:65536', 'port'],
    ['1.2.3.256', 'host'],
    ['[1::2::3]:5000', 'host'],
    ['qu ay.io', 'spaces'],
  ])('refuses %s, naming the %s', (text, why) => {
    expect(() => parseRegistryUrl(text, privateHosts)).toThrow(InvalidRegistryUrlError);
    expect(() => parseRegistryUrl(text, privateHosts)).toThrow(why);
  });

  it('reads any text back as it wrote it, or refuses it', () => {
    const near = fc.string({ unit: fc.constantFrom(...'ab0.:/@-_[]A ?#%\n'), maxLength: 30 });
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      near,
      fc.webUrl(),
      fc
        .tuple(
          fc.constantFrom('http://', 'HTTPS://', 'ftp://', ''),
          fc.constantFrom('127.0.0.1', 'quay.io', ''),
          near,
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          const url = parseRegistryUrl(one, privateHosts);
          expect(parseRegistryUrl(formatRegistryUrl(url), privateHosts)).toEqual(url);
          expect(formatRegistryUrl(url)).toMatch(/^[\x21-\x7e]+$/);
          if (url.insecure) expect(privateHosts.some((host) => url.host.startsWith(host))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRegistryUrlError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
