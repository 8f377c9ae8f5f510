/** The page about a build that its mail links to: how it went, and the end of its log. */
import { opensPage } from '../../shared/build/page-link.ts';
import type { BuildRecord } from '../../shared/build/record.ts';
import { lastKept } from '../../shared/log/kept.ts';
import type { LogLine } from '../../shared/model/common.ts';
import { type Html, html } from '../../shared/text/html.ts';
import type { SummaryDependencies } from './dependencies.ts';
import { documentOf } from './document.ts';
import { time } from './facts.ts';
import { buildSection } from './sections.ts';

const linesAtMost = 1000;
/** A page stays readable, and below the 6 MB of a function's answer: in HTML a character takes up to six bytes. */
const charactersAtMost = 900_000;

/** The page, or nothing where the key opens none: whether there is such a build is not said. */
export async function buildPage(
  dependencies: SummaryDependencies,
  { organisation, id, key }: { organisation: string; id: string; key: string },
  now: Date,
): Promise<string | undefined> {
  const record = (await dependencies.table.get(organisation, 'builds', id)) as BuildRecord | undefined;
  if (!record || !opensPage(record, key, now)) return undefined;
  // A build that got the image of an identical one has that one's log.
  const log = { organisation, id: record.attachedTo ?? id };
  return buildPageOf(record, await lastKept(dependencies, log, linesAtMost), now);
}

export function buildPageOf(build: BuildRecord, lines: LogLine[], now: Date): string {
  const kept = lines.map(({ text }) => text).join('\n');
  const shown = endOf(kept);
  const isWhole = lines.length < linesAtMost && shown === kept;
  return documentOf({
    title: build.uri,
    header: html`<div><h1>${build.uri}</h1><p class="place">${build.digest}</p></div>`,
    main: html`${buildSection(build)}
<section aria-labelledby="log"><h2 id="log">Log</h2>${logHtml(shown, isWhole)}</section>`,
    footer: html`${build.id}, as of ${time(now.toISOString())}`,
  });
}

const endOf = (text: string): string =>
  text.length <= charactersAtMost ? text : text.slice(text.indexOf('\n', text.length - charactersAtMost) + 1);

function logHtml(text: string, isWhole: boolean): Html {
  if (text === '') return html`<p>The log has no lines.</p>`;
  return html`${isWhole ? undefined : html`<p>These are the last lines. Use the API to read all of them.</p>`}<pre tabindex="0"><code>${text}</code></pre>`;
}

/** For a link whose time is over, or that was cut off on its way. */
export const noPage = (): string =>
  documentOf({
    title: 'Link expired',
    header: html`<div><h1>This link does not open a build</h1></div>`,
    main: html`<section><p>The link has expired, or part of it is missing. Copy the whole link from the email, or read the build over the API.</p></section>`,
  });
