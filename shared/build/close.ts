/** What is left to do once a build is over: who waits for it moves on, its log is kept, its mail sent, its compute given to the next one. */
import type { Mail } from '../aws/mail.ts';
import type { Logs } from '../log/log.ts';
import { advance } from '../store/advance.ts';
import { logJobOf } from './log.ts';
import { mailBuild } from './mail.ts';
import { type BuildRecord, isOver, openFields } from './record.ts';
import { startWaiting } from './waiting.ts';
import { type WakeDependencies, wakeFollowers } from './wake.ts';

export interface CloseDependencies extends WakeDependencies {
  logs: Logs;
  logGroup: string;
  mail: Mail;
  /** Where the API is, for links in mails. */
  apiUrl: string;
}

const retrySeconds = 30;
/** From its end on. A log that can't be read or kept for so long holds up the mail no longer. */
const mailPatienceSeconds = 300;

/** May be called again at any time: what is done is not done twice. */
export async function closeBuild(
  dependencies: CloseDependencies,
  organisation: string,
  buildId: string,
): Promise<void> {
  const { table, logs, logGroup, now } = dependencies;
  const record = (await table.get(organisation, 'builds', buildId)) as BuildRecord | undefined;
  if (!record || !isOver(record)) return;
  // Also of one that was closed as it ended, since it never began.
  await wakeFollowers(dependencies, organisation, buildId);
  if (!record.openKey) return;
  await startWaiting(dependencies, organisation, record.compute);
  let logComplete = record.logComplete;
  try {
    logComplete ||= await logs.drain(logJobOf(record, organisation, logGroup));
  } catch (error) {
    // The mail has the log's last lines in it, unless the builder has told them: they are worth waiting for.
    const endedAt = Date.parse(record.finishedAt ?? record.updatedAt);
    if (now().getTime() - endedAt > mailPatienceSeconds * 1000)
      await mailBuild(dependencies, organisation, record);
    throw error;
  }
  await mailBuild(dependencies, organisation, record);
  await advance<BuildRecord>(table, { organisation, collection: 'builds', id: buildId }, (current) => {
    const next = { ...current, logComplete: current.logComplete || logComplete };
    const open = openFields(organisation, next, new Date(now().getTime() + retrySeconds * 1000));
    return { set: { logComplete: next.logComplete, ...open } };
  });
}
