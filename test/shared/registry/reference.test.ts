import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatReference,
  InvalidReferenceError,
  isRepository,
  isTag,
  joinReference,
  normalHost,
  parseReference,
  referenceOf,
  withTag,
} from '../../../shared/registry/reference.ts';

const hex = 'a'.repeat(64);

describe('E3 image names', () => {
  it.each([
    ['python', { repository: 'python' }],
    ['python:3.13', { repository: 'python', tag: '3.13' }],
    ['team/app:v1', { repository: 'team/app', tag: 'v1' }],
    ['a/b/c', { repository: 'a/b/c' }],
    ['docker.io/python', { host: 'docker.io', repository: 'library/python' }],
    ['docker.io/team/app', { host: 'docker.io', repository: 'team/app' }],
    ['index.docker.io/python:3', { host: 'docker.io', repository: 'library/python', tag: '3' }],
    ['registry-1.docker.io/library/python', { host: 'docker.io', repository: 'library/python' }],
    ['docker.io:/team/app', { host: 'docker.io', repository: 'team/app' }],
    ['docker.io:/team/app:2', { host: 'docker.io', repository: 'team/app', tag: '2' }],
    ['quay.io/app', { host: 'quay.io', repository: 'app' }],
    ['localhost/app', { host: 'localhost', repository: 'app' }],
    ['localhost:5000/app:1', { host: 'localhost:5000', repository: 'app', tag: '1' }],
    ['host:5000/app', { host: 'host:5000', repository: 'app' }],
    ['127.0.0.1:4782/acme/iris:v1', { host: '127.0.0.1:4782', repository: 'acme/iris', tag: 'v1' }],
    ['[::1]:5000/app', { host: '[::1]:5000', repository: 'app' }],
    ['[::1]/app:1', { host: '[::1]', repository: 'app', tag: '1' }],
    ['quay.io:65535/app', { host: 'quay.io:65535', repository: 'app' }],
    // What is copied from a browser's address line.
    ['https://hub.docker.com/_/python', { host: 'docker.io', repository: 'library/python' }],
    ['https://hub.docker.com/_/python/tags', { host: 'docker.io', repository: 'library/python' }],
    ['https://hub.docker.com/r/pytorch/pytorch', { host: 'docker.io', repository: 'pytorch/pytorch' }],
    ['Hub.Docker.com/r/team/app/tags', { host: 'docker.io', repository: 'team/app' }],
    ['hub.docker.com/r/team/app/', { host: 'docker.io', repository: 'team/app' }],
    ['hub.docker.com/repository/docker/team/app/general', { host: 'docker.io', repository: 'team/app' }],
    ['hub.docker.com/r/team/app:2', { host: 'docker.io', repository: 'team/app', tag: '2' }],
    ['hub.docker.com/team/app:2', { host: 'docker.io', repository: 'team/app', tag: '2' }],
    ['docker.io/r/app', { host: 'docker.io', repository: 'r/app' }],
    ['QUAY.io/team/app', { host: 'quay.io', repository: 'team/app' }],
    ['https://quay.io/team/app', { host: 'quay.io', repository: 'team/app' }],
    ['docker://ghcr.io/team/app:1', { host: 'ghcr.io', repository: 'team/app', tag: '1' }],
    [
      '  nvcr.io/nvidia/pytorch:24.01-py3 ',
      { host: 'nvcr.io', repository: 'nvidia/pytorch', tag: '24.01-py3' },
    ],
    [`python@sha256:${hex}`, { repository: 'python', digest: `sha256:${hex}` }],
    [`q.io/a:b@sha256:${hex}`, { host: 'q.io', repository: 'a', tag: 'b', digest: `sha256:${hex}` }],
    ['my__app/x-y.z_w', { repository: 'my__app/x-y.z_w' }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    ':tag',
    'app:',
    'App',
    'team//app',
    '/app',
    'app:ta g',
    'app:-x',
    `app:${'x'.repeat(129)}`,
    'app@sha256:abc',
    'app@md5:x',
    'quay.io/',
    'a:/app',
    '-x/app',
    'a..b/app',
    'x'.repeat(300),
    'app;rm',
    'app\u0000',
    'quay.io:port/app',
    'quay.io:0/app',
    'quay.io:65536/app',
    'localhost:99999/app',
    '1.2.3.256/app',
    '1.2.3.4.5/app',
    'registry.1/app',
    '[1::2::3]/app',
    '[12345::]/app',
    'docker.io/_/python',
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(InvalidReferenceError);
  });

  it('joins below a default registry, inserting library/ on Docker Hub only', () => {
    const join = (text: string, host: string, path?: string) =>
      formatReference(joinReference(parseReference(text), host, path));
    expect(join('app:1', 'quay.io', 'team')).toBe('quay.io/team/app:1');
    expect(join('app', 'quay.io')).toBe('quay.io/app');
    expect(join('python', 'docker.io')).toBe('docker.io/library/python');
    expect(join('app', 'docker.io', 'team')).toBe('docker.io/team/app');
  });

  it('takes latest for a missing tag, and warns', () => {
    expect(withTag(parseReference('python'))).toEqual({
      reference: { repository: 'python', tag: 'latest' },
      warnings: [expect.stringContaining('latest')],
    });
    expect(withTag(parseReference('python:3')).warnings).toEqual([]);
    expect(withTag(parseReference(`python@sha256:${hex}`)).warnings).toEqual([]);
    expect(referenceOf(parseReference(`a:b@sha256:${hex}`))).toBe(`sha256:${hex}`);
  });

  const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
  const repository = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const host = fc.oneof(
    fc.constant('localhost'),
    fc.stringMatching(/^[a-z][a-z0-9]{0,8}\.[a-z]{2,5}$/),
    fc.stringMatching(/^[a-z][a-z0-9]{0,8}:[1-9][0-9]{1,3}$/),
  );
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);

  it('takes no host that nobody can connect to', () => {
    const unit = fc.constantFrom(...'019af:.[]-x');
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 20 }), (text) => {
        const host = normalHost(text);
        if (host !== undefined) expect(URL.parse(`https://${host}/v2/`)?.pathname).toBe('/v2/');
      }),
      { numRuns: 2000 },
    );
  });

  it('reads back what it writes, for every well-formed name', () => {
    fc.assert(
      fc.property(
        host,
        repository,
        fc.option(tag, { nil: undefined }),
        fc.boolean(),
        (host, repository, tag, pinned) => {
          const location = {
            host,
            repository:
              host === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository,
            ...(tag === undefined ? {} : { tag }),
            ...(pinned ? { digest: `sha256:${hex}` } : {}),
          };
          expect(parseReference(formatReference(location))).toEqual(location);
        },
      ),
    );
  });

  it('answers any text with a name that it reads back, or refuses it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab.:/@-_A') })), (text) => {
        try {
          const read = parseReference(text);
          if (read.host) expect(parseReference(formatReference(read))).toEqual(read);
          expect(formatReference(read)).toMatch(/^[\x21-\x7e]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidReferenceError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  // The grammar as the distribution project writes it down, put together again here.
  const grammar = (() => {
    const name = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
    const label = '(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])';
    const domain = `(?:${label}(?:\\.${label})*|\\[[a-f0-9:]+\\])(?::[0-9]+)?`;
    const path = `${name}(?:/${name})*`;
    return {
      reference: new RegExp(`^(?:${domain}/)?${path}(?::[\\w][\\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$`),
      repository: new RegExp(`^${path}$`),
      tag: /^[\w][\w.-]{0,127}$/,
    };
  })();
  const near = fc.string({ unit: fc.constantFrom(...'ab09.:/@-_[]AZ \n\u00e9%'), maxLength: 30 });
  const tried = fc.oneof(
    fc.string({ unit: 'binary' }),
    near,
    fc.tuple(host, fc.constantFrom('/', ':/', '//', ''), near).map((parts) => parts.join('')),
    fc
      .tuple(near, repository, near, fc.constantFrom('', `@sha256:${hex}`, `@sha512:${hex}${hex}`))
      .map((parts) => parts.join('')),
  );

  it('accepts nothing that the grammar of references refuses', () => {
    fc.assert(
      fc.property(tried, (text) => {
        try {
          expect(formatReference(parseReference(text))).toMatch(grammar.reference);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidReferenceError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('has the same repositories and tags as the grammar, up to their length', () => {
    fc.assert(
      fc.property(fc.oneof(tried, tag, repository), (text) => {
        expect(isTag(text)).toBe(grammar.tag.test(text) && !text.endsWith('\n'));
        expect(isRepository(text)).toBe(
          grammar.repository.test(text) && text.length <= 255 && !text.endsWith('\n'),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses digests of any other form, and hosts that no name server knows', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          near,
          fc.constantFrom(`sha256:${hex}a`, `sha256:${hex.toUpperCase()}`, `sha512:${hex}`, `${hex}`),
        ),
        (digest) => {
          fc.pre(!/^sha256:[0-9a-f]{64}$/.test(digest.trim()));
          expect(() => parseReference(`app@${digest}`)).toThrow(InvalidReferenceError);
        },
      ),
    );
    for (const text of [
      'a.-b/app',
      'a-.b/app',
      '.a/app',
      'a./app',
      `${'a.'.repeat(140)}a/app`,
      '[::1/app',
      '[x.y]/app',
    ])
      expect(() => parseReference(text), text).toThrow(InvalidReferenceError);
  });
});
