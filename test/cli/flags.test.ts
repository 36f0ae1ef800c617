import type { Command } from 'commander';
import { afterEach, describe, expect, it } from 'vitest';
import { COST_FLAGS } from '#src/cli/cost-flags.js';
import { EMBED_FLAGS } from '#src/cli/embed-flags.js';
import { EVALUATE_FLAGS } from '#src/cli/evaluate-flags.js';
import { EXPORT_FLAGS } from '#src/cli/export.js';
import { envName, type Flag } from '#src/cli/flags.js';
import { INSPECT_FLAGS } from '#src/cli/inspect.js';
import { LOAD_FLAGS } from '#src/cli/load-flags.js';
import { createProgram } from '#src/cli/main.js';
import { PULL_FLAGS } from '#src/cli/pull-flags.js';
import { RANGES_FLAGS } from '#src/cli/ranges.js';
import { SEARCH_FLAGS } from '#src/cli/search-flags.js';
import { SERVE_FLAGS } from '#src/cli/serve-flags.js';
import { VERIFY_FLAGS } from '#src/cli/verify-flags.js';

const COMMANDS = [
  ['embed', EMBED_FLAGS],
  ['export', EXPORT_FLAGS],
  ['inspect', INSPECT_FLAGS],
  ['serve', SERVE_FLAGS],
  ['verify', VERIFY_FLAGS],
  ['evaluate', EVALUATE_FLAGS],
  ['search', SEARCH_FLAGS],
  ['cost', COST_FLAGS],
  ['load', LOAD_FLAGS],
  ['pull', PULL_FLAGS],
  ['ranges', RANGES_FLAGS],
] as const;
/** What stands before the flags where it is not one input. */
const ARGUMENTS: Record<string, readonly string[]> = { search: ['in', 'words'] };
const CASES = COMMANDS.flatMap(([name, flags]) => flags.map((flag) => [name, envName(flag), flag] as const));

afterEach(() => {
  for (const [, variable] of CASES) delete process.env[variable];
});

/** The options that a command would run with. */
async function parsed(name: string, args: readonly string[] = []): Promise<Record<string, unknown>> {
  const command = createProgram().commands.find((candidate) => candidate.name() === name) as Command;
  command.action(() => undefined);
  const operands = ARGUMENTS[name] ?? (command.registeredArguments.length > 0 ? ['in'] : []);
  await command.parseAsync([...operands, ...args], { from: 'user' });
  return command.opts();
}

const isSwitch = (flag: Flag): boolean => !flag.flags.includes('<');
const long = (flag: Flag): string => /--[a-z-]+/.exec(flag.flags)?.[0] ?? '';

/** A value that the flag takes, and another. */
function valuesOf(flag: Flag): [string, string] {
  if (flag.choices !== undefined) return [flag.choices[0] as string, flag.choices.at(-1) as string];
  if (flag.flags.includes('<size>')) return ['600MB', '2GiB'];
  if (flag.flags.includes('<share>')) return ['0.1%', '100%'];
  if (flag.flags.includes('<terms>')) return ['sts>=-0.2%', 'ndcg>=0.7'];
  if (flag.flags.includes('<i/n>')) return ['1/3', '2/3'];
  if (flag.flags.includes('<list>')) return ['1,2', '3'];
  if (flag.flags.includes('<types>')) return ['int8', 'binary,float16'];
  return flag.parse === undefined ? ['one', 'two'] : /<n>|<rows>|<seconds>/.test(flag.flags) ? ['7', '8'] : ['a,b:int64', 'c'];
}

describe('a variable', () => {
  it.each(CASES)('of %s, %s, has the value of its flag', async (name, variable, flag) => {
    const [value] = valuesOf(flag);
    const byFlag = await parsed(name, isSwitch(flag) ? [long(flag)] : [long(flag), value]);
    expect(byFlag).not.toEqual(await parsed(name));
    process.env[variable] = isSwitch(flag) ? '1' : value;
    expect(await parsed(name)).toEqual(byFlag);
    process.env[variable] = '';
    expect(await parsed(name)).not.toEqual(byFlag);
  });

  it.each(CASES.filter(([, , flag]) => !isSwitch(flag)))('of %s, %s, gives way to its flag', async (name, variable, flag) => {
    const [value, other] = valuesOf(flag);
    const byFlag = await parsed(name, [long(flag), other]);
    process.env[variable] = value;
    expect(await parsed(name, [long(flag), other])).toEqual(byFlag);
  });

  it.each(CASES.filter(([, , flag]) => isSwitch(flag)))('of %s, %s, may say off', async (name, variable) => {
    const without = await parsed(name);
    for (const off of ['0', 'false', 'OFF', 'no']) {
      process.env[variable] = off;
      expect(await parsed(name)).toEqual(without);
    }
  });

  it.each(CASES.filter(([, , { choices, parse }]) => choices ?? parse))(
    'of %s, %s, is checked like its flag',
    async (name, variable, flag) => {
      process.env[variable] = ',';
      await expect(parsed(name)).rejects.toThrow(variable);
      await expect(parsed(name, [long(flag), ','])).rejects.toThrow(long(flag));
    },
  );
});

describe('values', () => {
  it('are parsed into what the job takes', async () => {
    const options = await parsed('embed', ['--keep', 'a, b:int64,c:d:json', '--limit', '0', '--window-bytes', '1000000', '--dry-run']);
    expect(options).toEqual({
      keep: [
        { name: 'a', type: undefined },
        { name: 'b', type: 'int64' },
        { name: 'c:d', type: 'json' },
      ],
      limit: 0,
      windowBytes: 1_000_000,
      dryRun: true,
    });
  });

  it.each(['-1', '1.5', '1e3', '0x10', '', ' ', 'ten', '99999999999999999999'])(
    'that are no whole numbers (%j) are refused',
    async (value) => {
      await expect(parsed('embed', [`--limit=${value}`])).rejects.toThrow(/is not a whole number/);
    },
  );

  it.each(['', ',', 'a,,b', 'a,'])('that are no lists of names (%j) are refused', async (value) => {
    await expect(parsed('embed', [`--keep=${value}`])).rejects.toThrow(/has an empty name in it/);
  });
});

describe('help', () => {
  it('says every flag with what it does and its default', () => {
    for (const [name, flags] of COMMANDS) {
      const help =
        createProgram()
          .commands.find((candidate) => candidate.name() === name)
          ?.helpInformation() ?? '';
      const oneLine = help.replace(/\s+/g, ' ');
      for (const flag of flags) {
        expect(oneLine).toContain(flag.flags);
        expect(oneLine).toContain(`${flag.help}${flag.fallback === undefined ? '' : ` (default: ${flag.fallback})`}`.replace(/\s+/g, ' '));
      }
    }
  });
});
