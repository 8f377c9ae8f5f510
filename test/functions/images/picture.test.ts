/** I3: which pictures are taken as logos. */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { requirePicture } from '../../../functions/images/picture.ts';
import { markOf } from '../../../shared/images/logo-marks.ts';
import { logoNames } from '../../../shared/model/logo.ts';

const svg = (inside: string, attributes = '') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"${attributes}>${inside}</svg>`;
const verdict = (type: 'image/png' | 'image/svg+xml', content: string | Buffer) => {
  try {
    requirePicture({ type, bytes: Buffer.from(content) });
    return 'taken';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
};
const verdictOf = (text: string) => verdict('image/svg+xml', text);

describe('I3 SVG', () => {
  it.each([
    ['shapes', svg('<g id="a" style="fill:#f00"><path d="M0 0h9v9z" fill="url(#b)"/></g>')],
    [
      'a declaration, a comment and text',
      `\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n${svg('<text>a &lt; b &#233;</text>')}\n`,
    ],
    [
      'references within',
      svg('<defs><circle id="c" r="1"/></defs><use xlink:href="#c"/><use href="#c" x="2"/>'),
    ],
    ['styles', svg('<style><![CDATA[.a > .b { fill: url( "#g" ) }]]></style>')],
    ['a picture inside', svg('<image href="data:image/png;base64,iVBORw0KGgo="/>')],
    [
      "an editor's own elements",
      svg('<sodipodi:namedview xmlns:sodipodi="http://sodipodi.sourceforge.net/x" onload="1"/><metadata/>'),
    ],
    ['a prefix for SVG', '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:rect/></s:svg>'],
    [
      'what Matplotlib, Graphviz and Illustrator begin with',
      `<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<!-- Generated -->
${svg('<g id="figure_1"/>')}`,
    ],
  ])('takes %s', (_, text) => {
    expect(verdictOf(text)).toBe('taken');
  });

  it.each([
    ['a script', svg('<script>alert(1)</script>'), '<script> is not allowed'],
    [
      'a script by another prefix',
      svg('<x:script xmlns:x="http://www.w3.org/2000/svg"/>'),
      '<script> is not allowed',
    ],
    [
      'a script of HTML',
      svg('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>'),
      '<h:script> is not allowed',
    ],
    [
      "HTML in an editor's element",
      svg('<e:x xmlns:e="urn:e"><p xmlns="http://www.w3.org/1999/xhtml"/></e:x>'),
      '<p> is not allowed',
    ],
    ['HTML inside', svg('<foreignObject/>'), '<foreignObject> is not allowed'],
    ['links', svg('<a href="#x"/>'), '<a> is not allowed'],
    [
      'animation',
      svg('<rect><animate attributeName="href" to="javascript:alert(1)"/></rect>'),
      '<animate> is not allowed',
    ],
    ['event handlers', svg('', ' onload="alert(1)"'), 'event handler "onload"'],
    ['event handlers in capitals', svg('<g ONCLICK="x"/>'), 'event handler "ONCLICK"'],
    ['a base', svg('<g xml:base="https://evil.example/"/>'), 'xml:base'],
    ['references to elsewhere', svg('<use href="https://evil.example/a.svg#b"/>'), 'outside the file'],
    [
      'references to elsewhere by prefix',
      svg('<image xlink:href="//evil.example/a.png"/>'),
      'outside the file',
    ],
    ['javascript', svg('<use href="java&#115;cript:alert(1)"/>'), 'outside the file'],
    ['pictures that are SVG', svg('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>'), 'outside the file'],
    ['url() in an attribute', svg('<rect fill="url(https://evil.example/a)"/>'), 'outside the file'],
    ['url() in a style', svg('<rect style="fill:URL( \'//evil.example\')"/>'), 'outside the file'],
    ['@import', svg('<style>@import "https://evil.example/a.css";</style>'), 'outside the file'],
    [
      'url() in parts',
      svg('<style>.a{fill:u<!-- -->rl(<![CDATA[//evil.example)]]></style>'),
      'outside the file',
    ],
    ['url() escaped', svg('<style>.a{fill:u\\72l(//evil.example)}</style>'), 'backslash'],
    ['copies of copies', svg('<use href="#a"/>'.repeat(21)), 'more than 20 <use>'],
    ['entities', `<!DOCTYPE svg [<!ENTITY a "b">]>${svg('&a;')}`, 'entities'],
    ['a type with more than a name', `<!DOCTYPE svg PUBLIC "a" "b" [ ]>${svg('')}`, 'more than a name'],
    ['a type from elsewhere', `<!DOCTYPE svg SYSTEM "https://evil.example/a">${svg('')}`, 'more than a name'],
    ['two types', `<!DOCTYPE svg><!DOCTYPE svg>${svg('')}`, 'DOCTYPE'],
    ['a type inside', svg('<!DOCTYPE svg>'), 'DOCTYPE'],
    ['a type behind', `${svg('')}<!DOCTYPE svg>`, 'DOCTYPE'],
    ['unknown entities', svg('<text>&nbsp;</text>'), '&nbsp;'],
    ['stylesheets from elsewhere', `<?xml-stylesheet href="a.css"?>${svg('')}`, 'processing instruction'],
    ['HTML', '<html><body/></html>', 'its root element is not <svg'],
    ['an svg of no namespace', '<svg/>', 'its root element is not <svg'],
    ['unclosed elements', svg('<g>'), 'not well-formed'],
    ['crossed elements', svg('<g><defs></g></defs>'), 'not well-formed'],
    ['attributes without quotes', svg('<g a=b/>'), 'not well-formed'],
    ['attributes twice', svg('<g a="1" a="2"/>'), 'twice'],
    ['two roots', svg('') + svg(''), 'more than one root'],
    ['text outside', `${svg('')}x`, 'outside the root element'],
    ['nothing', '', 'no element'],
    ['depth', svg('<g>'.repeat(5000)), 'nested more than'],
    ['a NUL', svg('<text>\0</text>'), 'control characters'],
  ])('refuses %s', (_, text, why) => {
    expect(verdictOf(text)).toMatch(/^PictureError/);
    expect(verdictOf(text)).toContain(why);
  });

  it('refuses what is not UTF-8', () => {
    expect(verdict('image/svg+xml', Buffer.from(svg('<text>é</text>'), 'latin1'))).toContain('not UTF-8');
  });

  it.each(logoNames)('the mark of %s would be taken as well', (name) => {
    expect(verdictOf(markOf(name))).toBe('taken');
  });
});

const chunk = (name: string, content: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, Buffer.from(name), content, Buffer.alloc(4)]);
};
function png(width = 1, height = 1): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const pixels = deflateSync(Buffer.alloc(4));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('I3 PNG', () => {
  it('takes one', () => {
    expect(verdict('image/png', png())).toBe('taken');
  });
  it.each([
    ['what is none', Buffer.from('GIF89a'), 'not a PNG'],
    ['an SVG', Buffer.from(svg('')), 'not a PNG'],
    ['nothing', Buffer.alloc(0), 'not a PNG'],
    ['the signature alone', png().subarray(0, 8), 'truncated'],
    ['a part', png().subarray(0, -3), 'truncated'],
    ['something behind it', Buffer.concat([png(), Buffer.from('<script>')]), 'truncated or corrupt'],
    ['more pixels than anybody wants to unpack', png(50_000, 50_000), '50000 × 50000 pixels'],
    ['no pixels', png(0, 1), '0 × 1 pixels'],
  ])('refuses %s', (_, content, why) => {
    expect(verdict('image/png', content)).toContain(why);
  });
});
