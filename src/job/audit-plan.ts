// Whether a run can be audited: only an INT8 one, and only where the same model is there in full precision.
import { isCoded } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { openFolder } from '../model/folder.js';
import type { AuditPlan } from './audit.js';
import type { JobConfig } from './config.js';
import type { VectorPlan } from './provenance.js';

/** Throws `usage`. */
export async function auditPlan(
  { audit: share, reuse = [] }: Pick<JobConfig, 'audit' | 'reuse'>,
  { folder, dtype }: Pick<VectorPlan, 'folder' | 'dtype'>,
): Promise<AuditPlan | undefined> {
  if (share === undefined) return undefined;
  if (!(share > 0 && share <= 1)) {
    throw new EmbedkitError('usage', `--audit ${share * 100}%: not a share above 0% and up to 100%`, { hint: 'say 0.1%, for one' });
  }
  if (folder.precision === 'fp32') {
    throw new EmbedkitError('usage', '--audit holds INT8 vectors against fp32, and this run is in fp32', {
      hint: 'leave --audit out, or --precision',
    });
  }
  if (isCoded(dtype) && reuse.length > 0) {
    const found = `--audit holds vectors against fp32, and what --reuse takes of --dtype ${dtype} are codes`;
    throw new EmbedkitError('usage', found, { hint: 'leave one of the two out' });
  }
  return { share, folder: await openFolder(folder.path, 'fp32').catch(withoutSource) };
}

function withoutSource(error: unknown): never {
  if (!(error instanceof EmbedkitError) || error.code !== 'usage') throw error;
  const hint = 'put that file there (a clone of the repository has it, and embedkit export makes it), or leave --audit out';
  throw new EmbedkitError('usage', `--audit: ${error.message}`, { hint, cause: error });
}
