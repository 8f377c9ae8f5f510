/** I10: from what was seen of a started notebook image to the points of the contract. Pure. */
import type { NotebookPoint, NotebookResult } from '../../shared/model/validation.ts';

export const contract = {
  prefix: '/notebook/acme/check',
  port: 8888,
  user: 'jovyan',
  uid: 1000,
  home: '/home/jovyan',
};

export interface Answer {
  /** What was asked for last, after redirects. */
  path: string;
  status: number;
  /** `Access-Control-Allow-Origin`. */
  allowOrigin: string | undefined;
  afterSeconds: number;
  /** Where it redirects to, when that isn't below the prefix. */
  leaves?: string;
}

/** One start of the image. */
export interface Attempt {
  /** Present where it has ended by itself, or couldn't be started. */
  exitCode?: number;
  seconds: number;
  lastLine: string;
  answer?: Answer;
}

export interface UserFound {
  uid: string;
  name: string;
  home: string;
}

export interface Observed {
  emptyHome: Attempt;
  /** With the files of the image at home: tried where it ended with an empty home. */
  ownHome?: Attempt;
  /** Or why it can't be said. */
  user: UserFound | string;
}

export function judge({ emptyHome, ownHome, user }: Observed): NotebookResult {
  const answer = emptyHome.answer ?? ownHome?.answer;
  const points = [
    emptyHomePoint(emptyHome, ownHome),
    httpPoint(answer, ownHome ?? emptyHome),
    corsPoint(answer),
    ...userPoints(user),
  ];
  return { passed: points.every(({ passed }) => passed), points };
}

type Point = NotebookResult['points'][number];
const point = (code: NotebookPoint, passed: boolean, evidence: string): Point => ({
  code,
  passed,
  evidence: evidence.slice(0, 1000),
});

const s = (seconds: number) => `${seconds.toFixed(1)} s`;
const words = ({ lastLine }: Attempt) => (lastLine === '' ? 'without a word' : `saying: ${lastLine}`);

function emptyHomePoint(empty: Attempt, own: Attempt | undefined): Point {
  if (empty.exitCode === undefined)
    return point(
      'empty-home',
      true,
      `With an empty ${contract.home} it was running after ${s(empty.seconds)}.`,
    );
  const ended = `With an empty ${contract.home} it ended with exit code ${empty.exitCode} after ${s(empty.seconds)}, ${words(empty)}`;
  const otherwise = own?.exitCode === undefined ? 'it runs' : `it ends with exit code ${own.exitCode} too`;
  return point(
    'empty-home',
    false,
    own ? `${ended}. With the files of the image there ${otherwise}.` : ended,
  );
}

function httpPoint(answer: Answer | undefined, last: Attempt): Point {
  const { prefix, port } = contract;
  if (!answer) {
    const why =
      last.exitCode === undefined
        ? `within ${s(last.seconds)}`
        : `before it ended with exit code ${last.exitCode}`;
    return point('http-prefix', false, `Nothing answered on port ${port} ${why}.`);
  }
  const said = `GET ${answer.path} answered ${answer.status} after ${s(answer.afterSeconds)}`;
  if (answer.leaves !== undefined)
    return point(
      'http-prefix',
      false,
      `${said} and redirects to ${answer.leaves}, which is not below ${prefix}/.`,
    );
  return point('http-prefix', answer.status >= 200 && answer.status < 400, `${said}.`);
}

function corsPoint(answer: Answer | undefined): Point {
  if (!answer) return point('cors', false, 'No answer arrived to check.');
  const { allowOrigin, path } = answer;
  const said =
    allowOrigin === undefined
      ? 'no Access-Control-Allow-Origin'
      : `Access-Control-Allow-Origin: ${allowOrigin}`;
  return point('cors', allowOrigin === '*', `The answer to GET ${path} has ${said}.`);
}

function userPoints(user: UserFound | string): Point[] {
  const { user: name, uid, home } = contract;
  const told = (code: NotebookPoint, what: string, found: string | undefined, wanted: string) =>
    point(
      code,
      found === wanted,
      typeof user === 'string'
        ? user
        : `In the container ${what} is ${found || 'nothing'}${found === wanted ? '' : `, not ${wanted}`}.`,
    );
  const found = typeof user === 'string' ? undefined : user;
  return [
    told('user-name', 'the user', found?.name, name),
    told('user-id', 'the user id', found?.uid, String(uid)),
    told('user-home', 'HOME', found?.home, home),
  ];
}
