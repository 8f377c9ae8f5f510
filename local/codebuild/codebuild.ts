/**
 * CodeBuild: declared projects, and builds that really run their buildspec's commands, as processes of this machine
 * with the credentials of the build's role.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Engine } from '../engine/engine.ts';
import type { EngineWatch } from '../engine/watch.ts';
import { AwsError, type Cloud, type JsonCall, type Principal, type Service } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { generatedName } from '../template/names.ts';
import { transaction } from '../transaction.ts';
import { type Build, describeBuild } from './build.ts';
import { removeContainers } from './leftovers.ts';
import { listBuilds, listProjects } from './lists.ts';
import { type Project, readProject } from './project.ts';
import { announce, createBuildQueue } from './queue.ts';
import { readStartRequest, type StartRequest } from './start-build.ts';
import { createBuildStore } from './store.ts';
import { removeWorkspaces } from './workspace.ts';

export interface CodeBuildParts {
  /** The engine that builds use; without it builds run all the same, and no container is looked for afterwards. */
  engine?: Engine;
  engineWatch?: EngineWatch;
  /** The account's limit on builds that run at the same time; the others wait in the queue. */
  concurrentBuilds?: number;
}

/** CodeBuild forgets idempotency tokens after this time. */
const tokenMinutes = 5;
const sweepEveryMs = 60_000;

export function createCodeBuild(
  cloud: Cloud,
  { engine, engineWatch, concurrentBuilds }: CodeBuildParts = {},
): Service {
  const store = createBuildStore(cloud.db);
  const parts = { cloud, store, engine, engineWatch };
  const projects = new Map<string, Project>();
  const queue = createBuildQueue(parts, projects, concurrentBuilds ?? Math.max(2, availableParallelism()));
  const projectArn = (name: string) => `arn:aws:codebuild:${cloud.region}:${cloud.accountId}:project/${name}`;

  const requireProject = (name: string): Project => {
    const project = projects.get(name);
    if (!project)
      throw new AwsError('ResourceNotFoundException', `Project cannot be found: ${projectArn(name)}`);
    return project;
  };
  let stopSweeping = () => {};
  const current = (id: string): Build | undefined => queue.find(id) ?? store.get(id);
  const show = (build: Build) => describeBuild(build, cloud);

  const create = (call: JsonCall, project: Project, request: StartRequest): Build => {
    const uuid = randomUUID();
    const { variables: _, ...environment } = project.environment;
    const build: Build = {
      id: `${project.name}:${uuid}`,
      arn: `arn:aws:codebuild:${cloud.region}:${cloud.accountId}:build/${project.name}:${uuid}`,
      number: store.nextNumber(project.name),
      projectName: project.name,
      initiator: initiatorOf(call.principal),
      serviceRole: request.serviceRole ?? project.serviceRole,
      environment: { ...environment, computeType: request.computeType, variables: request.variables },
      timeoutInMinutes: request.timeoutInMinutes,
      queuedTimeoutInMinutes: request.queuedTimeoutInMinutes,
      startedAt: cloud.now().getTime(),
      startedSteady: cloud.steady(),
      status: 'IN_PROGRESS',
      phases: [],
      ...(project.sourceLocation && { sourceLocation: project.sourceLocation }),
      logGroup: request.logs.logGroup,
      logStream: request.logs.logStreamPrefix ? `${request.logs.logStreamPrefix}/${uuid}` : uuid,
      logStarted: false,
      exportedVariables: [],
    };
    transaction(cloud.db, () => {
      store.insert(build, request.idempotencyToken, JSON.stringify(call.input));
      announce(cloud, parts, build);
    });
    queue.add(build);
    return build;
  };

  return {
    signingName: 'codebuild',
    resourceTypes: {
      'AWS::CodeBuild::Project': {
        physicalId: (declared) => declared.properties?.Name ?? generatedName(declared, 150),
        attributes: ({ physicalId }) => ({ Arn: projectArn(physicalId) }),
      },
    },
    async deploy(resources) {
      for (const { physicalId, properties } of resources)
        projects.set(physicalId, readProject(physicalId, projectArn(physicalId), properties));
    },
    async start() {
      await queue.recover();
      removeWorkspaces(cloud);
      await removeContainers(parts, queue.find);
      stopSweeping = cloud.every(sweepEveryMs, 'containers of builds', () =>
        removeContainers(parts, queue.find),
      );
    },
    stop() {
      stopSweeping();
      return queue.close();
    },
    operations: {
      StartBuild(call) {
        const name = new RequestMembers(call.input, 'InvalidInputException').string('projectName');
        call.authorize('codebuild:StartBuild', projectArn(name));
        const project = requireProject(name);
        const request = readStartRequest(call, project);
        if (request.serviceRole) {
          call.authorize('iam:PassRole', request.serviceRole, {
            'iam:PassedToService': 'codebuild.amazonaws.com',
          });
          requireTrust(cloud, request.serviceRole);
        }
        const earlier =
          request.idempotencyToken &&
          store.byToken(request.idempotencyToken, cloud.now().getTime() - tokenMinutes * 60_000);
        if (earlier) {
          if (earlier.request !== JSON.stringify(call.input))
            throw new AwsError(
              'InvalidInputException',
              'The idempotency token was already used with other parameters',
            );
          return { build: show(current(earlier.build.id) ?? earlier.build) };
        }
        if (queue.activeOf(name) >= (project.concurrentBuildLimit ?? Number.POSITIVE_INFINITY))
          throw new AwsError(
            'AccountLimitExceededException',
            `Cannot have more than ${project.concurrentBuildLimit} active builds for the project ${name}`,
          );
        return { build: show(create(call, project, request)) };
      },

      BatchGetBuilds(call) {
        const ids = new RequestMembers(call.input, 'InvalidInputException').strings('ids', 100).map(idOf);
        if (ids.length === 0) throw new AwsError('InvalidInputException', 'At least one build id is needed');
        for (const name of new Set(ids.map(projectOf)))
          call.authorize('codebuild:BatchGetBuilds', projectArn(name));
        const builds = ids.map(current);
        return {
          builds: builds.filter((build) => build !== undefined).map(show),
          buildsNotFound: ids.filter((_, index) => builds[index] === undefined),
        };
      },

      StopBuild(call) {
        const id = idOf(new RequestMembers(call.input, 'InvalidInputException').string('id'));
        call.authorize('codebuild:StopBuild', projectArn(projectOf(id)));
        const build = current(id);
        if (!build) throw new AwsError('ResourceNotFoundException', `Build cannot be found: ${id}`);
        queue.stop(id);
        return { build: show(build) };
      },

      ListBuilds: (call) => listBuilds(call, (ascending) => store.allIds(ascending)),
      ListProjects: (call) => listProjects(call, [...projects.keys()]),

      ListBuildsForProject(call) {
        const input = new RequestMembers(call.input, 'InvalidInputException');
        const name = input.string('projectName');
        call.authorize('codebuild:ListBuildsForProject', projectArn(name));
        requireProject(name);
        const ascending =
          input.optionalString('sortOrder', { pattern: /^(ASCENDING|DESCENDING)$/ }) === 'ASCENDING';
        const offset = Number(
          Buffer.from(input.optionalString('nextToken') ?? '', 'base64url').toString() || 0,
        );
        if (!Number.isInteger(offset)) throw new AwsError('InvalidInputException', 'Invalid next token');
        const ids = store.ids(name, ascending, 101, offset);
        return {
          ids: ids.slice(0, 100),
          ...(ids.length > 100 && { nextToken: Buffer.from(String(offset + 100)).toString('base64url') }),
        };
      },
    },
  };
}

/** Builds may be named by id or ARN. */
const idOf = (idOrArn: string) => idOrArn.replace(/^arn:[^/]*:build\//, '');
const projectOf = (id: string) => id.slice(0, Math.max(0, id.lastIndexOf(':')));

const initiatorOf = (principal: Principal) =>
  principal.kind === 'role' ? `${principal.arn.split('/').at(-1)}/${principal.sessionName}` : 'root';

function requireTrust(cloud: Cloud, roleArn: string): void {
  try {
    cloud.issueCredentials(roleArn, 'codebuild.amazonaws.com', 'AWSCodeBuild');
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw new AwsError(
      'InvalidInputException',
      `CodeBuild is not authorized to perform: sts:AssumeRole on ${roleArn}`,
    );
  }
}
