/** HTML in which whatever a user could have written is escaped unless somebody says that it is HTML. */

import { withoutControls } from './controls.ts';

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | undefined | Part[];

/** A template: nothing stands for `undefined`, lists are joined, and strings are escaped. */
export const html = (literals: TemplateStringsArray, ...parts: Part[]): Html =>
  new Html(literals.map((literal, i) => (i === 0 ? literal : rendered(parts[i - 1]) + literal)).join(''));

function rendered(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  return Array.isArray(part) ? part.map(rendered).join('') : escaped(String(part));
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string =>
  withoutControls(text).replace(/[&<>"']/g, (one) => entities[one] ?? one);
