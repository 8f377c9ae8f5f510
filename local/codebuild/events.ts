/** CodeBuild's two kinds of events. */
import type { CloudEvent } from '../platform.ts';
import { type Build, type BuildPhase, currentPhase, deepLink, durationInSeconds } from './build.ts';

export function stateChangeEvent(build: Build, region: string): CloudEvent {
  const phase = currentPhase(build);
  return {
    source: 'aws.codebuild',
    'detail-type': 'CodeBuild Build State Change',
    resources: [build.arn],
    detail: {
      'build-status': build.status,
      ...common(build, region),
      'current-phase': phase?.type,
      'current-phase-context': contextText(phase),
      version: '1',
    },
  };
}

export function phaseChangeEvent(build: Build, phase: BuildPhase, region: string): CloudEvent {
  return {
    source: 'aws.codebuild',
    'detail-type': 'CodeBuild Build Phase Change',
    resources: [build.arn],
    detail: {
      'completed-phase': phase.type,
      ...common(build, region),
      'completed-phase-status': phase.status,
      'completed-phase-duration-seconds': durationInSeconds(phase),
      'completed-phase-context': contextText(phase),
      'completed-phase-start': unlikeIso(phase.startedAt),
      'completed-phase-end': unlikeIso(phase.endedAt ?? phase.startedAt),
      version: '1',
    },
  };
}

function common(build: Build, region: string) {
  return {
    'project-name': build.projectName,
    'build-id': build.arn,
    'additional-information': {
      cache: { type: 'NO_CACHE' },
      'build-number': build.number,
      'timeout-in-minutes': build.timeoutInMinutes,
      'queued-timeout-in-minutes': build.queuedTimeoutInMinutes,
      'build-complete': build.status !== 'IN_PROGRESS',
      initiator: build.initiator,
      'build-start-time': unlikeIso(build.startedAt),
      source: build.sourceLocation ? { type: 'S3', location: build.sourceLocation } : { type: 'NO_SOURCE' },
      artifact: { location: '' },
      environment: {
        image: build.environment.image,
        'privileged-mode': build.environment.privilegedMode,
        'image-pull-credentials-type': 'CODEBUILD',
        'compute-type': build.environment.computeType,
        type: build.environment.type,
        'environment-variables': build.environment.variables,
      },
      logs: build.logStarted
        ? {
            'group-name': build.logGroup,
            'stream-name': build.logStream,
            'deep-link': deepLink(build, region),
          }
        : { 'deep-link': deepLink(build, region) },
      phases: build.phases.map((phase) => ({
        'phase-type': phase.type,
        'start-time': unlikeIso(phase.startedAt),
        ...(phase.endedAt !== undefined && {
          'end-time': unlikeIso(phase.endedAt),
          'duration-in-seconds': durationInSeconds(phase),
          'phase-status': phase.status,
          'phase-context': phase.contexts.length > 0 ? phase.contexts.map(oneContext) : [': '],
        }),
      })),
    },
  };
}

const oneContext = ({ statusCode, message }: { statusCode: string; message: string }) =>
  `${statusCode}: ${message}`;

const contextText = (phase: BuildPhase | undefined) =>
  `[${(phase?.contexts ?? []).map(oneContext).join(', ') || ': '}]`;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** CodeBuild's own form of times in events: `Sep 1, 2017 4:12:29 PM`, in UTC. */
function unlikeIso(milliseconds: number): string {
  const time = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = time.getUTCHours();
  const clock = `${hours % 12 || 12}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} ${hours < 12 ? 'AM' : 'PM'}`;
  return `${months[time.getUTCMonth()]} ${time.getUTCDate()}, ${time.getUTCFullYear()} ${clock}`;
}
