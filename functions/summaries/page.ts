/** The page about an image: one document without scripts, which loads nothing. */
import { createHash } from 'node:crypto';
import type { BuildRecord } from '../../shared/build/record.ts';
import type { Picture } from '../../shared/images/logo.ts';
import type { Image } from '../../shared/model/image.ts';
import { Html, html } from '../../shared/text/html.ts';
import { size } from '../../shared/text/quantities.ts';
import { facts, time } from './facts.ts';
import { readmeHtml } from './readme.ts';
import { buildSection, checkSections } from './sections.ts';
import { style } from './style.ts';

export interface Summary {
  image: Image;
  logo: Picture | undefined;
  build: BuildRecord | undefined;
  now: Date;
}

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

export function pageOf({ image, logo, build, now }: Summary): string {
  const name = `${image.repository}:${image.tag}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${name}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
${logo && html`<img class="logo" src="data:${logo.type};base64,${Buffer.from(logo.bytes).toString('base64')}" alt="" width="72" height="72">`}
<div><h1>${name}</h1><p class="place">${image.registry}</p></div>
<p class="status ${image.status}">${image.status}</p>
</header>
<main>
${pull(image)}
${aboutSection(image)}
${build && buildSection(build)}
${checkSections(image)}
${image.readme && html`<section aria-labelledby="readme"><h2 id="readme">Readme</h2><div class="prose">${readmeHtml(image.readme)}</div></section>`}
</main>
<footer><p>${image.id}, as of ${time(now.toISOString())}</p></footer>
</body>
</html>
`;
  return page.text;
}

/** By digest where it is known: that is what anybody gets who was told of this page. */
function pull({ uri, digest, status }: Image): Html {
  if (!digest)
    return html`<section aria-labelledby="pull"><h2 id="pull">Pull it</h2><p>${
      status === 'failed' ? 'Its build failed: there' : 'There'
    } is nothing to pull yet.</p></section>`;
  const untagged = uri.slice(0, uri.lastIndexOf(':'));
  return html`<section aria-labelledby="pull"><h2 id="pull">Pull it</h2>
<pre tabindex="0"><code>docker pull ${uri}</code></pre>
<p>Exactly this version, whatever becomes of the tag:</p>
<pre tabindex="0"><code>docker pull ${untagged}@${digest}</code></pre></section>`;
}

const sources = {
  build: 'built here',
  reference: 'added from its registry',
  mirror: 'mirrored',
  catalogue: 'catalogue',
};

function aboutSection(image: Image): Html {
  return html`<section aria-labelledby="about"><h2 id="about">About</h2>${facts([
    ['Digest', image.digest && html`<code>${image.digest}</code>`],
    ['Platforms', image.platforms?.join(', ')],
    ['Size', image.sizeBytes === undefined ? undefined : `${size(image.sizeBytes)} compressed`],
    ['Source', sources[image.source]],
    ['Built on', image.parentUri && html`<code>${image.parentUri}</code>`],
    ['Mirrored to', image.mirror && html`<code>${image.mirror.uri}</code>`],
    ['Author', image.author],
    ['Created', time(image.createdAt)],
    ['Changed', time(image.updatedAt)],
  ])}</section>`;
}
