/** I3: the page about an image, whatever users have written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageHeaders } from '../../../functions/summaries/document.ts';
import { pageOf } from '../../../functions/summaries/page.ts';
import { readmeHtml } from '../../../functions/summaries/readme.ts';
import type { BuildRecord } from '../../../shared/build/record.ts';
import type { Image } from '../../../shared/model/image.ts';
import { requireHarmless } from './harmless.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const image: Image = {
  id: 'img_1',
  registry: 'registry.example',
  repository: 'team/app',
  tag: '1',
  uri: 'registry.example/team/app:1',
  digest,
  sizeBytes: 43_395_673,
  platforms: ['linux/amd64'],
  status: 'ready',
  source: 'build',
  author: 'ada@acme.example',
  createdAt: '2026-11-21T10:43:20.000Z',
  updatedAt: '2026-11-21T11:43:20.000Z',
};
const now = new Date('2026-11-21T12:00:00Z');
const page = (more: Partial<Image> = {}, build?: Partial<BuildRecord>) =>
  pageOf({ image: { ...image, ...more }, logo: undefined, build: build as BuildRecord | undefined, now });

const evil = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<!-- a comment --> <!--[if IE]><script>alert(1)</script><![endif]-->',
  '<style>@import "//evil.example"</style>',
  '<base href="//evil.example/">',
  '</div></section></main><script>alert(1)</script>',
  '</title></style><script>alert(1)</script>',
  '[x](javascript:alert(1)) [x](JaVaScRiPt:alert(1)) [x](java&#115;cript:alert(1)) [x](&#x6A;avascript:alert(1))',
  '[x](<javascript:alert(1)>) [x]( java\nscript:alert(1)) [x](\u0001javascript:alert(1)) [x](vbscript:x) [x](file:///etc/passwd)',
  '[x](data:text/html;base64,PHNjcmlwdD4=) ![x](data:image/svg+xml;base64,PHN2Zz4=) ![x](javascript:alert(1))',
  '[x]: javascript:alert(1)\n\n[x] ![x]',
  '<javascript:alert(1)> <data:text/html,x> <https://ok.example/"onmouseover="alert(1)>',
  '[x](https://ok.example/"onmouseover="alert(1) "a\\" onclick=\\"b") ![" onload="alert(1)](https://ok.example/)',
  '`<script>` ```"><script>alert(1)</script>\n\n```"onload="x\n<script>\n```\n~~~ <b>\n</code></pre><script>\n~~~',
  '| <b> | x |\n|:--|--:|\n| <script>alert(1)</script> | [y](javascript:z) |',
  '&lt;script&gt; &#60;script&#62; &amp;lt; \\<script> &#x3c;img src=x onerror=alert(1)&#x3e;',
];

describe('I3 a readme on the page', () => {
  it.each(evil)('does nothing: %s', (readme) => {
    requireHarmless(page({ readme }));
  });

  it('does nothing, however the pieces are put together', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(...evil, '\n', '\n\n', '`', '"', '>', '<', '](', '[', '<a ', '"onx=', '- ', '> '),
        fc.string(),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, (parts) => requireHarmless(page({ readme: parts.join('') }))),
      { numRuns: 300 },
    );
  });

  it('is rendered: headings below those of the page, tables, lists, code, links', () => {
    const text = readmeHtml(
      '# One\n\n###### Six\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n\n- **x** ~~y~~\n\n```sh\necho "<a>"\n```\n\n[w](https://a.example/?b=1&c=2) <mailto:a@b.example>\n\n![a chart](https://a.example/c.png)\n',
    ).text;
    expect(text).toContain('<h3>One</h3>');
    expect(text).toContain('<h6>Six</h6>');
    expect(text).toContain('<th class="right">a</th>');
    expect(text).toContain('<td class="center">2</td>');
    expect(text).toContain('<strong>x</strong> <s>y</s>');
    expect(text).toContain('echo &quot;&lt;a&gt;&quot;');
    expect(text).toContain(
      '<a href="https://a.example/?b=1&amp;c=2" rel="noopener noreferrer nofollow">w</a>',
    );
    expect(text).toContain('href="mailto:a@b.example"');
    expect(text).toContain('href="https://a.example/c.png">Picture: a chart</a>');
    expect(text).not.toContain('<img');
  });

  const characters = 65_536;
  it.each([
    ['quotes', '>'],
    ['quotes and lists', '> - '],
    ['lists', '1. - '],
    ['brackets', '['],
    ['pictures in brackets', '[*![_'],
    ['links', '[a]('],
    ['emphasis', '*_'],
    ['emphasis with letters', '**a*'],
    ['backquotes', '`` ` '],
    ['angles', '<a <!--'],
    ['entities', '&#x'],
    ['cells', '|'],
    ['definitions', '[a]: b\n'],
  ])(
    'of 64 KiB of %s takes bounded time',
    (_, piece) => {
      const readme = piece.repeat(characters / piece.length + 1).slice(0, characters);
      const started = process.cpuUsage();
      const text = page({ readme });
      const { user, system } = process.cpuUsage(started);
      requireHarmless(text);
      expect(text.length).toBeLessThan(5_000_000);
      // Of the processor, whatever else it does. What other renderers need for some of these is minutes.
      expect((user + system) / 1e6).toBeLessThan(15);
    },
    120_000,
  );
});

describe('I3 the page', () => {
  it('escapes what users and their tools have written, wherever it stands', () => {
    const bad = '"><script>alert(1)</script>\'';
    const text = page(
      {
        repository: bad,
        tag: bad,
        uri: bad,
        author: bad,
        parentUri: bad,
        platforms: [bad],
        mirror: { imageId: 'img_2', uri: bad, digest },
        validation: {
          buildId: 'bld_1',
          finishedAt: image.createdAt,
          digest,
          notebook: { passed: false, points: [{ code: 'cors', passed: false, evidence: bad }] },
          capabilities: {
            shell: true,
            runtimes: { python: bad },
            tools: {},
            packages: { [bad]: bad },
            cuda: { libraries: [] },
            kinds: [{ kind: 'serving', supported: false, missing: [bad], missingOptional: [] }],
          },
        },
      },
      {
        id: 'bld_1',
        kind: 'build',
        status: 'failed',
        author: bad,
        compute: bad,
        failure: { code: 'step-failed', message: bad, step: bad, lastLines: [bad, '\u001b[31mred\u001b[0m'] },
      },
    );
    requireHarmless(text);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('red');
    expect(text.split('&lt;script&gt;').length).toBeGreaterThan(15);
  });

  it('tells what there is to know, and nothing of what there is not', () => {
    const full = page(
      { parentUri: 'docker.io/library/python:3', readme: '# R' },
      {
        id: 'bld_1',
        kind: 'build',
        status: 'succeeded',
        author: 'ada@acme.example',
        compute: 'c',
        durationSeconds: 2.4,
      },
    );
    for (const said of [
      `docker pull registry.example/team/app@${digest}`,
      '43.4 MB compressed',
      'linux/amd64',
      'docker.io/library/python:3',
      '2026-11-21 10:43 UTC',
      'Last build <span class="status succeeded">succeeded</span>',
      '2.4 s',
    ])
      expect(full).toContain(said);
    const { digest: _, sizeBytes: __, platforms: ___, ...pending } = image;
    const bare = pageOf({ image: { ...pending, status: 'pending' }, logo: undefined, build: undefined, now });
    expect(bare).toContain('There is nothing to pull yet.');
    for (const title of ['Last build', 'Checks', 'Readme', 'Size', '<img', 'undefined'])
      expect(bare).not.toContain(title);
  });

  it('says that checks were of an earlier version', () => {
    const validation = { buildId: 'bld_1', finishedAt: image.createdAt, digest: `sha256:${'b'.repeat(64)}` };
    expect(page({ validation })).toContain('of an earlier version of this image');
  });

  it('has its own style sheet allowed and nothing else', () => {
    const header = pageHeaders['content-security-policy'];
    expect(header).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; img-src data:;/);
    expect(header).not.toContain('unsafe');
    expect(page()).toContain(header.split('; frame-ancestors')[0]?.replaceAll("'", '&#39;') ?? '?');
  });
});
