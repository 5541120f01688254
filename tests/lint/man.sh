#!/bin/bash
# Holds the man pages against the grammar of the tools: man.sh [TOOL...], by default every one in build/bin. A line a complaint; exit status 1
# when there is any. PEKIT_BIN: where the tools are. MAN: where the pages are.
set -u
cd "$(dirname "$0")/../.." || exit 1
BIN=${PEKIT_BIN:-${B:-build}/bin}
MAN=${MAN:-man}
bad=0

complain()
{
	echo "$*"
	bad=1
}

# word TEXT WORD: does it stand there by itself?
word()
{
	grep -Eq -- "(^|[^[:alnum:]_-])$2([^[:alnum:]_-]|\$)" <<<"$1"
}

# A letter means one option, and an option takes a value or none, in all verbs: it may stand before the verb.
check_grammar()
{
	local tool=$1 grammar=$2 one
	while read -r one; do
		complain "$tool: the letter -$one means several options"
	done < <(jq -r '[.verbs[].options[], .options[] | select(.letter)] | group_by(.letter)[] | select(map(.name) | unique | length > 1) | .[0].letter' <<<"$grammar")
	while read -r one; do
		complain "$tool: --$one takes a value in one verb and none in another"
	done < <(jq -r '[.verbs[].options[], .options[]] | group_by(.name)[] | select(map(.type == "flag") | unique | length > 1) | .[0].name' <<<"$grammar")
}

check_page()
{
	local tool=$1 grammar=$2 page=$MAN/$1.8 text body headings one letter
	if [ ! -f "$page" ]; then
		complain "$tool: no $page"
		return
	fi
	text=$(mandoc -T lint -W warning "$page" | head -5)
	[ -z "$text" ] || complain "$text"
	text=$(groff -man -ww -Tutf8 "$page" 2>&1 >/dev/null | head -5)
	[ -z "$text" ] || complain "$text"
	text=$(mandoc -T ascii -O width=400 "$page" | col -bx)
	headings=$(grep -E '^   [^ ]' <<<"$text")
	while read -r one; do
		word "$headings" "$one" || complain "$page: no heading for the verb $one"
	done < <(jq -r '.verbs[].name' <<<"$grammar")
	while read -r one; do
		word "$text" "$one" || complain "$page: the word $one is missing"
	done < <(jq -r '[.verbs[].words[] | if .place == "keyword" then .name else .metavar end] | unique[]' <<<"$grammar")
	while IFS=: read -r one letter; do
		word "$text" "--$one" || complain "$page: --$one is missing"
		[ -z "$letter" ] || word "$text" "-$letter" || complain "$page: -$letter is missing"
	done < <(jq -r '[.verbs[].options[], .options[]] | map("\(.name):\(.letter // "")") | unique[]' <<<"$grammar")
	# Examples may call other programs.
	body=$(awk '/^[A-Z]/ { on = !/^EXAMPLES/ } on' <<<"$text")
	while read -r one; do
		jq -e --arg o "$one" '[.verbs[].options[], .options[]] | any(.name == $o)' <<<"$grammar" >/dev/null || complain "$page: $tool has no --$one"
	done < <(grep -oE -- '(^|[^[:alnum:]_-])--[a-z][a-z-]*' <<<"$body" | sed 's/.*--//' | sort -u)
	while read -r one; do
		jq -e --arg o "$one" '[.verbs[].options[], .options[]] | any(.letter == $o)' <<<"$grammar" >/dev/null || complain "$page: $tool has no -$one"
	done < <(grep -oE -- '(^|[^[:alnum:]_-])-[A-Za-z]([^[:alnum:]_-]|$)' <<<"$body" | grep -oE '[A-Za-z]' | sort -u)
	for one in NAME SYNOPSIS COMMANDS\|VERBS OPTIONS "EXIT STATUS" EXAMPLES; do
		grep -Eq "^($one)\$" <<<"$text" || complain "$page: no section $one"
	done
	grep -Eq '^OUTPUT$|As JSON' <<<"$text" || complain "$page: what is printed as JSON?"
}

if [ $# = 0 ]; then
	for one in "$BIN"/*; do
		[ -x "$one" ] && set -- "$@" "$(basename "$one")"
	done
	[ $# != 0 ] || complain "no tools in $BIN"
fi
for tool in "$@"; do
	if ! grammar=$("$BIN/$tool" --grammar) || ! jq -e .verbs >/dev/null <<<"$grammar"; then
		complain "$tool: --grammar says nothing"
		continue
	fi
	check_grammar "$tool" "$grammar"
	check_page "$tool" "$grammar"
	[ -f "completions/$tool" ] || complain "$tool: no completions/$tool"
done
exit $bad
