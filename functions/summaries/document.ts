/** What all pages are: one document without scripts, which loads nothing. */
import { createHash } from 'node:crypto';
import { Html, html } from '../../shared/text/html.ts';
import { style } from './style.ts';

/** The one style sheet, by its hash, and pictures that are in the page: nothing else, whatever came to stand in it. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `${policy}; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'private, no-cache',
};

interface Parts {
  title: string;
  header: Html;
  main: Html;
  footer?: Html;
}

export const documentOf = ({ title, header, main, footer }: Parts): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
${header}
</header>
<main>
${main}
</main>
${footer && html`<footer><p>${footer}</p></footer>`}
</body>
</html>
`.text;
