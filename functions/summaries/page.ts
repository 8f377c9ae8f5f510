/** The page about an image. */
import type { BuildRecord } from '../../shared/build/record.ts';
import type { Picture } from '../../shared/images/logo.ts';
import type { Image } from '../../shared/model/image.ts';
import { type Html, html } from '../../shared/text/html.ts';
import { size } from '../../shared/text/quantities.ts';
import { documentOf } from './document.ts';
import { facts, time } from './facts.ts';
import { readmeHtml } from './readme.ts';
import { buildSection, checkSections } from './sections.ts';

export interface Summary {
  image: Image;
  logo: Picture | undefined;
  build: BuildRecord | undefined;
  now: Date;
}

export function pageOf({ image, logo, build, now }: Summary): string {
  const name = `${image.repository}:${image.tag}`;
  return documentOf({
    title: name,
    header: html`${logo && html`<img class="logo" src="data:${logo.type};base64,${Buffer.from(logo.bytes).toString('base64')}" alt="" width="72" height="72">`}
<div><h1>${name}</h1><p class="place">${image.registry}</p></div>
<p class="status ${image.status}">${image.status}</p>`,
    main: html`${pull(image)}
${aboutSection(image)}
${build && buildSection(build)}
${checkSections(image)}
${image.readme && html`<section aria-labelledby="readme"><h2 id="readme">Readme</h2><div class="prose">${readmeHtml(image.readme)}</div></section>`}`,
    footer: html`${image.id}, as of ${time(now.toISOString())}`,
  });
}

/** By digest where it is known: that is what anybody gets who was told of this page. */
function pull({ uri, digest, status }: Image): Html {
  if (!digest)
    return html`<section aria-labelledby="pull"><h2 id="pull">Pull it</h2><p>${
      status === 'failed' ? 'Its build failed. There' : 'There'
    } is nothing to pull yet.</p></section>`;
  const untagged = uri.slice(0, uri.lastIndexOf(':'));
  return html`<section aria-labelledby="pull"><h2 id="pull">Pull it</h2>
<pre tabindex="0"><code>docker pull ${uri}</code></pre>
<p>To pull exactly this version, even if the tag moves:</p>
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
