// From cosines to a verdict: is the safe model the same everywhere, and could the check have seen it were it not? Pure; no processes.

/** What the safe model's worst text must reach on every CPU. */
export const LEAST_COSINE = 0.9995;

/**
 * `cosines`: {safe, control}, each {cpu: [cosine of each text to the native vectors]}. The control has full 8-bit weights, which saturate
 * where VNNI is missing; so it must drift on a CPU whose arithmetic differs from the host's: Haswell for a host with VNNI, arm64 (exact
 * sums) for one without. Without such a CPU the control tells nothing, and that is said.
 */
export function judge(cosines, hostHasVnni) {
  const safe = Object.entries(cosines.safe).map(([cpu, row]) => judgeSafe(cpu, Math.min(...row)));
  const control = judgeControl(cosines, hostHasVnni ? 'Haswell' : 'arm64');
  const all = [...safe, control];
  return { lines: all.map(({ line }) => line), ok: all.every(({ ok }) => ok) };
}

function judgeSafe(cpu, worst) {
  const ok = worst >= LEAST_COSINE;
  return { ok, line: `${ok ? 'ok' : 'FAILED'}: safe model on ${cpu}, worst cosine ${worst.toFixed(6)} (at least ${LEAST_COSINE})` };
}

function judgeControl(cosines, cpu) {
  if (cosines.control[cpu] === undefined) return { ok: true, line: 'not telling: the control needs arm64 on a host without VNNI' };
  const worst = Math.min(...cosines.control[cpu]);
  const ok = worst < Math.min(...cosines.safe[cpu]);
  const found = ok ? 'drifts, as it must' : 'does not drift below the safe model, so this check cannot see saturation';
  return { ok, line: `${ok ? 'ok' : 'FAILED'}: control on ${cpu}, worst cosine ${worst.toFixed(6)}: ${found}` };
}
