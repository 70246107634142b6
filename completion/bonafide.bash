# bash completion for bonafide. Commands and options come from the program's own help.

_bonafide_commands() {
    bonafide --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p'
}

_bonafide() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options_from=2
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_bonafide_commands | cut -d' ' -f1 | sort -u) --help --version" -- "$word")
        return
    fi
    local below
    below=$(_bonafide_commands | sed -n "s/^$command //p")
    if [[ $below ]]; then
        if [[ $COMP_CWORD -eq 2 ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$below" -- "$word")
            return
        fi
        command="$command ${COMP_WORDS[2]}"
        options_from=3
    fi
    case $before in
    --flow | -f)
        mapfile -t COMPREPLY < <(compgen -W "account_opening account_recovery browser_first high_value_transaction \
            login_step_up video_kyc" -- "$word")
        return
        ;;
    --channel | -c)
        mapfile -t COMPREPLY < <(compgen -W "android_app ios_app mobile_web desktop_web kiosk" -- "$word")
        return
        ;;
    --role | -r)
        mapfile -t COMPREPLY < <(compgen -W "integrator reviewer auditor operator" -- "$word")
        return
        ;;
    --data | --weights)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    esac
    if [[ $word == -* && $COMP_CWORD -ge $options_from ]]; then
        # shellcheck disable=SC2086 # a command of two words
        mapfile -t COMPREPLY < <(compgen -W "$(bonafide $command --help 2>/dev/null |
            grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+')" -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -o filenames -F _bonafide bonafide
