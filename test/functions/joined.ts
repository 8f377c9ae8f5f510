/** Callers as members of their organisation, which those who write have to be. */
import type { Caller } from '../../shared/http/operation.ts';
import { absent, ConditionFailedError, type Table } from '../../shared/store/table.ts';
import { ada } from './event.ts';

/** Makes `caller` a member, unless they are one already. */
export async function join(table: Table, caller: Partial<Caller> = ada): Promise<void> {
  const { organisation = '', memberId = '', email = '' } = caller;
  const time = '2026-11-20T08:00:00.000Z';
  const member = { id: memberId, subject: memberId, email, role: 'admin', createdBy: 'slipway', version: 1 };
  try {
    await table.put(
      organisation,
      'members',
      memberId,
      { ...member, createdAt: time, updatedAt: time },
      absent,
    );
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
  }
}
