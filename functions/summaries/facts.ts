/** Facts, each with its name, as people read them. */
import { type Html, html } from '../../shared/text/html.ts';

/** Those that are there. */
export const facts = (all: [name: string, value: Html | string | undefined][]): Html =>
  html`<dl>${all.flatMap(([name, value]) => (value ? [html`<div><dt>${name}</dt><dd>${value}</dd></div>`] : []))}</dl>`;

/** An ISO time, to the minute. */
export const time = (iso: string): Html =>
  html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
