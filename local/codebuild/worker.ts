/** Takes a build from PROVISIONING to its end. */
import { AwsError, type Cloud, type Principal } from '../platform.ts';
import { transaction } from '../transaction.ts';
import { type Build, type BuildStatus, type PhaseType, sessionOf } from './build.ts';
import type { BuildspecPhase } from './buildspec.ts';
import { exportedVariables, runCommand } from './command.ts';
import { endProcesses, removeLeftovers } from './leftovers.ts';
import type { WorkerParts } from './parts.ts';
import { createProgress } from './phases.ts';
import type { Project } from './project.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

/** Why a build is ended from outside; FAULT where the cloud itself ends. */
export type Ending = 'STOPPED' | 'TIMED_OUT' | 'FAULT';

/** What CodeBuild never has to say: of a build that was under way when the embedded cloud ended. */
export const interrupted = {
  statusCode: 'INTERNAL_SERVICE_ERROR',
  message: 'The embedded cloud stopped while the build was running. Start the build again.',
};

const commandPhases: [PhaseType, BuildspecPhase][] = [
  ['INSTALL', 'install'],
  ['PRE_BUILD', 'pre_build'],
  ['BUILD', 'build'],
  ['POST_BUILD', 'post_build'],
];

/** Runs the build; resolves when it has ended and nothing is left of it. Abort it with an `Ending` as reason. */
export async function runBuild(
  { cloud, store, engine, engineWatch }: WorkerParts,
  project: Project,
  build: Build,
  signal: AbortSignal,
): Promise<void> {
  const progress = createProgress(cloud, store, build);
  const ended = (): Ending | undefined => (signal.aborted ? (signal.reason as Ending) : undefined);

  const workspace = await prepare();
  const status = workspace ? await runPhases(workspace) : (ended() ?? 'FAILED');
  endProcesses(build);
  // On record before anything is removed: a death in between doesn't undo a build that has ended.
  transaction(cloud.db, () => {
    progress.enter('FINALIZING');
    if (ended() === 'FAULT') progress.leave('FAULT', [interrupted]);
    else progress.leave('SUCCEEDED');
    progress.finish(status);
  });
  await removeLeftovers({ cloud, store, engine }, build);

  async function prepare(): Promise<Workspace | undefined> {
    progress.enter('PROVISIONING');
    try {
      await engineWatch?.answers(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return undefined;
    }
    let role: Principal;
    try {
      role = assumeRole(cloud, build);
      openLog(role);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      progress.leave('FAILED', [{ statusCode: 'ACCESS_DENIED', message: error.message }]);
      return undefined;
    }
    progress.leave('SUCCEEDED');
    progress.enter('DOWNLOAD_SOURCE');
    progress.note('Phase is DOWNLOAD_SOURCE');
    try {
      const created = await createWorkspace(cloud, project, build, role, engine?.host);
      progress.note(`CODEBUILD_SRC_DIR=${created.sourceFolder}`);
      progress.leave('SUCCEEDED');
      note('DOWNLOAD_SOURCE', 'SUCCEEDED');
      return created;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const contexts = [{ statusCode: 'CLIENT_ERROR', message: `${error.code}: ${error.message}` }];
      progress.leave('FAILED', contexts);
      note('DOWNLOAD_SOURCE', 'FAILED', contexts[0]);
      return undefined;
    }
  }

  function openLog(role: Principal): void {
    const stream = `arn:aws:logs:${cloud.region}:${cloud.accountId}:log-group:${build.logGroup}:log-stream:`;
    try {
      cloud.authorize(role, 'logs:CreateLogStream', stream);
      cloud.authorize(role, 'logs:PutLogEvents', `${stream}${build.logStream}`);
    } catch (error) {
      const reason = (error as Error).message;
      throw new AwsError(
        'ACCESS_DENIED',
        `Service role ${build.serviceRole} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build ${build.arn}. Error message: ${reason}`,
      );
    }
    build.logStarted = true;
    progress.save();
    progress.note('Waiting for DOWNLOAD_SOURCE');
  }

  async function runPhases(workspace: Workspace): Promise<Exclude<BuildStatus, 'IN_PROGRESS'>> {
    let succeeding = true;
    for (const [type, name] of commandPhases) {
      const afterFailedBuild = type === 'POST_BUILD' && build.phases.some((phase) => phase.type === 'BUILD');
      if (!succeeding && !afterFailedBuild) break;
      const outcome = await runPhase(workspace, type, name, succeeding);
      if (ended()) return ended() ?? 'FAULT';
      const onFailure = project.buildspec.phases[name]?.['on-failure'];
      if (outcome === 'FAILED' && onFailure !== 'CONTINUE') succeeding = false;
      if (outcome === 'FAILED' && onFailure === 'ABORT') break;
    }
    build.exportedVariables = exportedVariables(
      workspace.stateFolder,
      project.buildspec.env['exported-variables'],
    );
    if (build.phases.some((phase) => phase.type === 'POST_BUILD')) {
      progress.enter('UPLOAD_ARTIFACTS');
      progress.leave('SUCCEEDED');
    }
    return succeeding ? 'SUCCEEDED' : 'FAILED';
  }

  async function runPhase(workspace: Workspace, type: PhaseType, name: BuildspecPhase, succeeding: boolean) {
    progress.enter(type);
    progress.note(`Entering phase ${type}`);
    const { commands = [], finally: always = [] } = project.buildspec.phases[name] ?? {};
    const failure = (await runCommands(workspace, commands, succeeding)) ?? undefined;
    const later = ended() ? undefined : await runCommands(workspace, always, succeeding && !failure);
    const outcome = ended() ?? (failure || later ? 'FAILED' : 'SUCCEEDED');
    const context = ended() ? undefined : (failure ?? later);
    progress.leave(outcome, context ? [context] : []);
    note(type, outcome, context);
    return outcome;
  }

  /** The first failure, if any; what follows it is not run. */
  async function runCommands(workspace: Workspace, commands: string[], succeeding: boolean) {
    for (const command of commands) {
      if (ended()) return undefined;
      progress.note(`Running command ${command}`);
      const exitCode = await runCommand(
        command,
        succeeding,
        {
          shell: project.buildspec.env.shell === 'bash' ? 'bash' : '/bin/sh',
          stateFolder: workspace.stateFolder,
          workingFolder: workspace.sourceFolder,
          environment: workspace.environment,
        },
        {
          onLines(lines) {
            const timestamp = cloud.now().getTime();
            cloud.appendLogs(
              build.logGroup,
              build.logStream,
              lines.map((line) => ({ timestamp, message: `${line}\n` })),
            );
          },
          guardProcess: cloud.guardProcess,
          signal,
        },
      );
      if (exitCode !== 0) {
        progress.note(`Command did not exit successfully ${command} exit status ${exitCode}`);
        return {
          statusCode: 'COMMAND_EXECUTION_ERROR',
          message: `Error while executing command: ${command}. Reason: exit status ${exitCode}`,
        };
      }
    }
    return undefined;
  }

  function note(type: PhaseType, state: string, context?: { statusCode: string; message: string }): void {
    progress.note(`Phase complete: ${type} State: ${state}`);
    progress.note(
      `Phase context status code: ${context?.statusCode ?? ''} Message: ${context?.message ?? ''}`,
    );
  }
}

function assumeRole(cloud: Cloud, build: Build): Principal {
  const { accessKeyId } = cloud.issueCredentials(
    build.serviceRole,
    'codebuild.amazonaws.com',
    sessionOf(build),
  );
  const principal = cloud.principalOf(accessKeyId);
  if (!principal) throw new Error(`The credentials of ${build.serviceRole} have no principal`);
  return principal;
}
