/** The operations of this function, bound to their use cases. */
import { type Implementation, implement } from '../../shared/http/operation.ts';
import { toMember } from '../../shared/store/members.ts';
import { toSecret } from '../../shared/store/secrets.ts';
import { getSettings } from '../../shared/store/settings.ts';
import { toToken } from '../../shared/store/tokens.ts';
import { listComputes } from './computes.ts';
import * as contract from './contract.ts';
import type { OrganisationDependencies } from './dependencies.ts';
import { changeRole, inviteMember, listMembers, requireMember } from './members.ts';
import { deleteSecret, listSecrets, putSecret, requireSecret } from './secrets.ts';
import { changeSettings, replaceSettings } from './settings.ts';
import { createToken, listTokens, requireToken, revokeToken } from './tokens.ts';
import { createUpload } from './uploads.ts';

export const organisationOperations = (dependencies: OrganisationDependencies): Implementation[] => [
  implement(contract.getMe, async ({ caller: { organisation: id, memberId, email, role } }) => {
    const title = dependencies.stage.organisations.find((one) => one.id === id)?.title ?? id;
    return { status: 200, body: { memberId, email, role, organisation: { id, title } } };
  }),
  implement(contract.getSettings, async ({ caller }) => {
    const { settings, version } = await getSettings(dependencies.table, caller.organisation);
    return { status: 200, body: settings, etag: version };
  }),
  implement(contract.putSettings, async (request) => {
    const { settings, version } = await replaceSettings(
      request.asCaller(dependencies),
      request,
      request.body,
    );
    return { status: 200, body: settings, etag: version };
  }),
  implement(contract.updateSettings, async (request) => {
    const { settings, version } = await changeSettings(request.asCaller(dependencies), request, request.body);
    return { status: 200, body: settings, etag: version };
  }),
  implement(contract.listComputes, async ({ query }) => ({
    status: 200,
    body: listComputes(dependencies.stage, query.use),
  })),
  implement(contract.createUpload, async (request) => ({
    status: 201,
    body: await createUpload(dependencies, request, request.newId('upload'), request.body),
  })),
  ...memberOperations(dependencies),
  ...tokenOperations(dependencies),
  ...secretOperations(dependencies),
];

const memberOperations = (dependencies: OrganisationDependencies): Implementation[] => [
  implement(contract.listMembers, async ({ caller, query }) => ({
    status: 200,
    body: await listMembers(dependencies, caller.organisation, query),
  })),
  implement(contract.inviteMember, async (request) => {
    const { member, warnings } = await inviteMember(request.asCaller(dependencies), request, request.body);
    const headers = { location: `/v1/members/${member.id}` };
    return { status: 201, body: { ...toMember(member), warnings }, etag: member.version, headers };
  }),
  implement(contract.getMember, async ({ caller, params }) => {
    const member = await requireMember(dependencies, caller.organisation, params.id);
    return { status: 200, body: toMember(member), etag: member.version };
  }),
  implement(contract.updateMember, async (request) => {
    const member = await changeRole(
      request.asCaller(dependencies),
      request,
      request.params.id,
      request.body.role,
    );
    return member ? { status: 200, body: toMember(member), etag: member.version } : { status: 204 };
  }),
  implement(contract.removeMember, async (request) => {
    await changeRole(request.asCaller(dependencies), request, request.params.id, undefined);
    return { status: 204 };
  }),
];

const tokenOperations = (dependencies: OrganisationDependencies): Implementation[] => [
  implement(contract.listTokens, async ({ caller, query }) => ({
    status: 200,
    body: await listTokens(dependencies, caller, query),
  })),
  implement(contract.createToken, async (request) => {
    const { record, token } = await createToken(
      request.asCaller(dependencies),
      request,
      request.newId('token'),
      request.body,
    );
    return {
      status: 201,
      body: { ...toToken(record), token },
      headers: { location: `/v1/tokens/${record.id}` },
    };
  }),
  implement(contract.getToken, async ({ caller, params }) => {
    const token = await requireToken(dependencies, caller, params.id);
    return { status: 200, body: toToken(token), etag: token.version };
  }),
  implement(contract.revokeToken, async (request) => {
    await revokeToken(request.asCaller(dependencies), request, request.params.id);
    return { status: 204 };
  }),
];

const secretOperations = (dependencies: OrganisationDependencies): Implementation[] => [
  implement(contract.listSecrets, async ({ caller, query }) => ({
    status: 200,
    body: await listSecrets(dependencies, caller.organisation, query),
  })),
  implement(contract.getSecret, async ({ caller, params }) => {
    const secret = await requireSecret(dependencies, caller.organisation, params.name);
    return { status: 200, body: toSecret(secret), etag: secret.version };
  }),
  implement(contract.putSecret, async (request) => {
    const { record, created } = await putSecret(
      request.asCaller(dependencies),
      request,
      request.params.name,
      request.body.value,
    );
    const headers: Record<string, string> = created ? { location: `/v1/secrets/${record.name}` } : {};
    return { status: created ? 201 : 200, body: toSecret(record), etag: record.version, headers };
  }),
  implement(contract.deleteSecret, async (request) => {
    await deleteSecret(request.asCaller(dependencies), request, request.params.name);
    return { status: 204 };
  }),
];
