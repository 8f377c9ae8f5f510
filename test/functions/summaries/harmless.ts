/** What a page with text of users in it may hold. */
import { expect } from 'vitest';

/** Every tag that a browser would see, with its attributes. */
const tagsOf = (text: string) => [...text.matchAll(/<([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>/gi)];
const allowed = new Set(
  `html head meta title style body header img div h1 h2 h3 h4 h5 h6 p main section pre code dl dt dd time footer
  span a strong em s ul ol li blockquote hr br table thead tbody tr th td`.split(/\s+/),
);
const attributes = new Set(
  `lang charset http-equiv content name class src alt width height aria-labelledby id tabindex datetime scope href rel
  title start`.split(/\s+/),
);

export function requireHarmless(text: string): void {
  // Whatever opens a tag is one of the page's own.
  expect(text.match(/<(?![a-z/!])/gi)).toBeNull();
  expect([...text.matchAll(/<!/g)].length).toBe(1);
  const tags = tagsOf(text);
  expect([...text.matchAll(/<[a-z]/gi)].length).toBe(tags.length);
  for (const [, name = '', rest = ''] of tags) {
    expect(allowed).toContain(name.toLowerCase());
    for (const [, key = '', value = ''] of rest.matchAll(/\s([a-z-]+)(?:="([^"]*)")?/g)) {
      expect(attributes).toContain(key);
      if (key === 'href') expect(value).toMatch(/^(?:https?:\/\/|mailto:)/i);
      if (key === 'src') expect(value).toMatch(/^data:image\/(?:png|svg\+xml);base64,[A-Za-z0-9+/=]*$/);
    }
  }
}
