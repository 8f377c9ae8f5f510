/** What a mail about a build says, as text and as HTML. Everything a user could have written is escaped. */
import type { BuildKind } from '../model/build.ts';
import { withoutControls } from '../text/controls.ts';
import { Html, html } from '../text/html.ts';
import { duration, size } from '../text/quantities.ts';
import { adviceOn } from './advice.ts';
import type { BuildRecord } from './record.ts';

export interface MailText {
  subject: string;
  text: string;
  html: string;
}

const verdicts: Record<BuildKind, string> = { build: 'built', mirror: 'mirrored', validation: 'checked' };
const headings: Record<BuildKind, [succeeded: string, not: string]> = {
  build: ['Slipway built your image.', 'Slipway could not build your image.'],
  mirror: ['Slipway mirrored your image.', 'Slipway could not mirror your image.'],
  validation: ['Slipway checked your image.', 'Slipway could not check your image.'],
};

interface Parts {
  heading: string;
  facts: [name: string, value: string][];
  lines: string[];
  advice: [title: string, text: string][];
}

const longestName = 110;

/** `tail` are the last lines of the failing step, or of the log; `url` is the page with all of it. */
export function messageFor(record: BuildRecord, tail: string[], url: string): MailText {
  const parts = partsOf(record, tail, url);
  // Host and organisation say nothing to its members; a repository's last word alone is that of many.
  const repository = record.uri.slice(record.uri.indexOf('/') + 1);
  // The end tells images apart, and what has become of it must have room behind.
  const name = repository.length > longestName ? `…${repository.slice(-longestName)}` : repository;
  const done = record.push === false ? 'built, not pushed' : verdicts[record.kind];
  const verdict = { succeeded: done, timed_out: 'timed out' }[record.status as string] ?? record.status;
  return { subject: header(`[Slipway] ${name}: ${verdict}`), text: asText(parts), html: asHtml(parts) };
}

function partsOf(record: BuildRecord, tail: string[], url: string): Parts {
  const { failure, digest, sizeBytes, uri, id } = record;
  const succeeded = record.status === 'succeeded';
  const advice = failure && adviceOn(record, failure);
  const facts: [string, string | undefined][] = [
    ['Image', uri],
    ['Digest', digest],
    ['Size', sizeBytes === undefined ? undefined : size(sizeBytes)],
    ['Duration', duration(secondsOf(record))],
    ['Compute', record.compute],
    ['Build', id],
    ['Identical to', record.attachedTo],
    ['Reason', failure && `${failure.message} (${failure.code})`],
    ['Failing step', failure?.step],
    ['Exit code', failure?.exitCode === undefined ? undefined : String(failure.exitCode)],
  ];
  return {
    heading:
      succeeded && record.push === false
        ? 'Slipway built your image and, as requested, did not push it.'
        : headings[record.kind][succeeded ? 0 : 1],
    facts: facts.filter((fact): fact is [string, string] => fact[1] !== undefined),
    lines: succeeded ? [] : tail.map(withoutControls),
    advice: [
      ...(advice
        ? ([
            ['Likely cause', advice.likelyCause],
            ['How to try again', advice.howToRetry],
          ] as [string, string][])
        : []),
      ['Log', url],
    ],
  };
}

/** Of what never began, such as a build that got the image of an identical one: from its request on. */
const secondsOf = ({ durationSeconds, createdAt, finishedAt = createdAt }: BuildRecord) =>
  durationSeconds ?? (Date.parse(finishedAt) - Date.parse(createdAt)) / 1000;

function asText({ heading, facts, lines, advice }: Parts): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  return [
    heading,
    '',
    ...facts.map(([name, value]) => `${`${name}:`.padEnd(width)}${withoutControls(value)}`),
    ...(lines.length > 0 ? ['', 'Last lines:', ...lines.map((line) => `    ${line}`)] : []),
    '',
    ...advice.flatMap(([title, text]) => [`${title}: ${text}`, '']),
  ].join('\n');
}

function asHtml({ heading, facts, lines, advice }: Parts): string {
  const cell = new Html('style="padding:2px 12px 2px 0;vertical-align:top"');
  const rows = facts.map(
    ([name, value]) => html`<tr><td ${cell}>${name}</td><td ${cell}><b>${value}</b></td></tr>`,
  );
  const log =
    lines.length > 0
      ? html`<p>Last lines:</p><pre style="background:#f4f4f4;padding:8px">${lines.join('\n')}</pre>`
      : undefined;
  const paragraphs = advice.map(([title, text]) => html`<p><b>${title}:</b> ${text}</p>`);
  return html`<!doctype html><html><body style="font-family:sans-serif"><h2>${heading}</h2><table>${rows}</table>${log}${paragraphs}</body></html>`
    .text;
}

const header = (text: string) => withoutControls(text).replace(/\s+/g, ' ').slice(0, 150);
