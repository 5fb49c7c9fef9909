package dev.nola.cli;

import dev.nola.command.Output;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

/** Prints a script for shells. */
@Command(
    name = "completion",
    description = "Print a script that completes commands, options and files in bash and zsh.",
    mixinStandardHelpOptions = true,
    footer = {"", "Example:", "  source <(nola completion)"})
final class CompletionCommand implements Callable<Integer> {
  private static final String HEADER =
      """
      #!/usr/bin/env bash
      # Completes the commands and options of nola in bash and zsh: source <(nola completion)
      """;

  /**
   * Completes the options of the launcher's commands from their help, which is read once in a
   * shell; a launcher that would have to build first completes nothing.
   */
  private static final String LAUNCHER_OPTIONS =
      """

      declare -A _nola_options 2>/dev/null
      function _nola_complete_options() {
        local command=$1 word=${COMP_WORDS[COMP_CWORD]}
        if [[ "$word" != -* ]]; then
          [[ $# == 1 || $COMP_CWORD != 2 ]] || COMPREPLY=( $(compgen -W "${*:2}" -- "$word") )
          return 0
        fi
        if [[ -z "${_nola_options[$command]:-}" ]]; then
          _nola_options[$command]=$(NOLA_NO_BUILD=1 "${COMP_WORDS[0]}" "$command" --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,')
        fi
        COMPREPLY=( $(compgen -W "${_nola_options[$command]}" -- "$word") )
      }
      """;

  private static final String NO_OPTION = "  else\n";

  /** Arguments are completed as files: picocli turns that off where a command has options. */
  private static final String FILES =
      "    type compopt &>/dev/null && compopt -o default 2>/dev/null\n";

  /** The comments that picocli begins a script with: how to install another program. */
  private static final Pattern PREAMBLE = Pattern.compile("\\A(#.*\\R)+");

  @Mixin private Output output = new Output();

  @Override
  public Integer call() {
    CommandLine nola = output.command().root().commandLine();
    for (String command : LauncherCommands.all()) {
      if (!nola.getSubcommands().containsKey(command)) { // `worker` has commands here, too
        nola.addSubcommand(command, CommandSpec.create());
      }
    }
    String script =
        PREAMBLE
                .matcher(AutoComplete.bash("nola", nola))
                .replaceFirst(HEADER)
                .replace(NO_OPTION, NO_OPTION + FILES)
            + LAUNCHER_OPTIONS
            + LauncherCommands.all().stream()
                .map(command -> function(command, nola.getSubcommands().get(command)))
                .collect(Collectors.joining());
    output.print(Map.of("script", script), out -> out.print(script));
    return 0;
  }

  /**
   * Replaces the function that picocli made for a command whose options it does not know.
   *
   * @param command name of a command of the launcher
   * @param model picocli's model of it, which knows its subcommands here
   */
  private static String function(String command, CommandLine model) {
    return "function _picocli_nola_%s() { _nola_complete_options %s; }\n"
        .formatted(
            command.replace("-", ""),
            (command + " " + String.join(" ", model.getSubcommands().keySet())).strip());
  }
}
