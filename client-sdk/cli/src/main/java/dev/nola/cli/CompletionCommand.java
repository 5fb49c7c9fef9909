package dev.nola.cli;

import dev.nola.command.Choices;
import dev.nola.command.Output;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

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
          _nola_options[$command]=$(NOLA_NO_BUILD=1 "${COMP_WORDS[0]}" "$command" --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,' | sort -u)
        fi
        COMPREPLY=( $(compgen -W "${_nola_options[$command]}" -- "$word") )
      }
      """;

  /** Where picocli's script decides what to complete. */
  private static final String START = "function _complete_nola() {\n";

  /**
   * Joins what bash splits: it makes three words of {@code --option=value}, of which picocli
   * expects the first and last. Keeps the arguments of {@code help} from being completed as
   * commands to be run.
   */
  private static final String PREPARATION =
      """
        local -a words=()
        local i cword=$COMP_CWORD
        for (( i = 0; i < ${#COMP_WORDS[@]}; i++ )); do
          if [[ $i == 0 || "${COMP_WORDS[i]}" != "=" || "${COMP_WORDS[i-1]}" != --* ]]; then
            words+=("${COMP_WORDS[i]}")
          elif [[ $i == $COMP_CWORD ]]; then
            words+=("")
          elif (( i < COMP_CWORD )); then
            cword=$((cword - 1))
          fi
        done
        local -a COMP_WORDS=("${words[@]}")
        local COMP_CWORD=$cword
        if [[ "${COMP_WORDS[1]}" == help && $COMP_CWORD != 1 ]]; then _nola_complete_help; return; fi
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
    for (String command : LauncherCommands.all().keySet()) {
      if (!nola.getSubcommands().containsKey(command)) { // `worker` has commands here, too
        nola.addSubcommand(command, CommandSpec.create());
      }
    }
    stateChoices(nola);
    String script =
        PREAMBLE
                .matcher(AutoComplete.bash("nola", nola))
                .replaceFirst(HEADER)
                .replace(NO_OPTION, NO_OPTION + FILES)
                .replace(START, START + PREPARATION)
            + LAUNCHER_OPTIONS
            + LauncherCommands.all().keySet().stream()
                .map(command -> function(command, nola.getSubcommands().get(command)))
                .collect(Collectors.joining())
            + helpFunction(nola);
    output.print(Map.of("script", script), out -> out.print(script));
    return 0;
  }

  /** Offers the words that options accept, where picocli would offer the constants of an enum. */
  private static void stateChoices(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    for (OptionSpec option : List.copyOf(spec.options())) {
      List<String> choices = Choices.of(option);
      if (!choices.isEmpty() && option.group() == null) {
        spec.remove(option);
        spec.addOption(OptionSpec.builder(option).completionCandidates(choices).build());
      }
    }
    command.getSubcommands().values().forEach(CompletionCommand::stateChoices);
  }

  /** Writes the function that completes the arguments of {@code help}: commands at any depth. */
  private static String helpFunction(CommandLine nola) {
    return """
        function _nola_complete_help() {
          local commands="--help"
          [[ "${COMP_WORDS[COMP_CWORD]}" == -* ]] || case "${COMP_WORDS[*]:2:COMP_CWORD-2}" in
        %s    *) commands= ;;
          esac
          COMPREPLY=( $(compgen -W "$commands" -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        """
        .formatted(commands("", nola));
  }

  /** Writes the branches that know the commands below a path. */
  private static String commands(String path, CommandLine command) {
    Map<String, CommandLine> subcommands = command.getSubcommands();
    return subcommands.isEmpty()
        ? ""
        : "    \"%s\") commands=\"%s\" ;;\n".formatted(path, String.join(" ", subcommands.keySet()))
            + subcommands.entrySet().stream()
                .map(sub -> commands((path + " " + sub.getKey()).strip(), sub.getValue()))
                .collect(Collectors.joining());
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
