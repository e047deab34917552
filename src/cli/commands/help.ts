import { Command } from 'commander';
import { closest } from '../../config/closest.ts';
import { UsageError } from '../exit-code.ts';

/** `help` and `help snapshot start`: what `--help` of that command prints. */
export function helpCommand(): Command {
  return new Command('help')
    .description('Say more about a command.')
    .argument('[command...]', 'its name, such as snapshot start')
    .action((names: string[], _options: object, command: Command) => {
      let at = command.parent!;
      for (const name of names) {
        const found = at.commands.find((each) => each.name() === name);
        if (found === undefined) throw unknown(at, name);
        at = found;
      }
      at.help();
    });
}

function unknown(at: Command, name: string): UsageError {
  const known = at.createHelp().visibleCommands(at);
  const names = known.map((each) => each.name());
  const meant = closest(name, names);
  const remedy = meant !== null ? `Did you mean ${meant}?` : `Commands: ${names.join(', ') || 'none below this one'}.`;
  return new UsageError(`there is no command ${JSON.stringify(name)}`, remedy);
}
