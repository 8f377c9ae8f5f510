/** What was done with the image: its last build, and checks of it. */
import type { BuildRecord } from '../../shared/build/record.ts';
import type { BuildKind } from '../../shared/model/build.ts';
import type { Image } from '../../shared/model/image.ts';
import type { CapabilitiesResult, NotebookResult } from '../../shared/model/validation.ts';
import { type Html, html } from '../../shared/text/html.ts';
import { duration } from '../../shared/text/quantities.ts';
import { facts, time } from './facts.ts';

const titles: Record<BuildKind, string> = {
  build: 'Last build',
  mirror: 'Last mirror',
  validation: 'Last check',
};

/** The record of the image's last build, with why it failed if it did. */
export function buildSection({ id, kind, status, failure, ...build }: BuildRecord): Html {
  return html`<section aria-labelledby="build"><h2 id="build">${titles[kind]} <span class="status ${status}">${status.replace('_', ' ')}</span></h2>
${failure && html`<div class="failure"><p><strong>${failure.message}</strong> <code>${failure.code}</code></p>${failure.step && html`<p>Step <code>${failure.step}</code></p>`}${failure.lastLines?.length ? html`<pre tabindex="0"><code>${failure.lastLines.join('\n')}</code></pre>` : undefined}</div>`}
${facts([
  ['Build', html`<code>${id}</code>`],
  ['By', build.author],
  ['Pushed', build.push === false ? 'no, as requested' : undefined],
  ['On', build.compute],
  ['Started', build.startedAt && time(build.startedAt)],
  ['Finished', build.finishedAt && time(build.finishedAt)],
  ['Took', build.durationSeconds === undefined ? undefined : duration(build.durationSeconds)],
])}</section>`;
}

/** Of each check the last result; nothing where none was asked for. */
export function checkSections({ validation, digest }: Image): Html | undefined {
  if (!validation) return undefined;
  const { notebook, capabilities, finishedAt } = validation;
  return html`<section aria-labelledby="checks"><h2 id="checks">Checks</h2>
<p>Done ${time(finishedAt)}${validation.digest === digest ? '.' : ', of an earlier version of this image.'}</p>
${notebook && notebookTable(notebook)}${capabilities && capabilitiesTable(capabilities)}</section>`;
}

const mark = (good: boolean, yes: string, no: string) =>
  html`<span class="mark ${good ? 'good' : 'bad'}">${good ? `✓ ${yes}` : `✗ ${no}`}</span>`;

const notebookTable = ({
  points,
  passed,
}: NotebookResult) => html`<h3>Notebook: ${passed ? 'passed' : 'not passed'}</h3>
<div class="wide"><table><thead><tr><th scope="col">Point</th><th scope="col">Passed</th><th scope="col">Evidence</th></tr></thead>
<tbody>${points.map(
  (point) =>
    html`<tr><th scope="row">${point.code}</th><td>${mark(point.passed, 'yes', 'no')}</td><td>${point.evidence}</td></tr>`,
)}</tbody></table></div>`;

function capabilitiesTable({ runtimes, tools, packages, kinds }: CapabilitiesResult): Html {
  const found = Object.entries({ ...runtimes, ...tools, ...packages }).map(
    ([name, version]) => `${name} ${version}`,
  );
  return html`<h3>What it can do</h3>${facts([['Found', found.join(', ')]])}
<div class="wide"><table><thead><tr><th scope="col">Kind of job</th><th scope="col">Enough</th><th scope="col">Missing</th></tr></thead>
<tbody>${kinds.map(
    ({ kind, supported, missing }) =>
      html`<tr><th scope="row">${kind}</th><td>${mark(supported, 'yes', 'no')}</td><td>${missing.join(', ')}</td></tr>`,
  )}</tbody></table></div>`;
}
