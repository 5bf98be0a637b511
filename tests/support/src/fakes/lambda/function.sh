#!/bin/bash
# A function for the tests: what an event says is what becomes of it.

ask() {
    exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}"
    printf '%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s' "$1" "${#2}" "$2" >&3
    answer=
    while IFS= read -r line <&3 || [[ $line ]]; do
        line=${line%$'\r'}
        [[ $line == lambda-runtime-aws-request-id:* ]] && id=${line#*: }
        answer=$line
    done
    exec 3>&-
}

if [[ $START == fails ]]; then
    ask 'POST /2018-06-01/runtime/init/error' '"no start"'
    exit 4
fi
echo started
while ask 'GET /2018-06-01/runtime/invocation/next'; do
    echo "took $answer"
    case $answer in
    '"die"') exit 3 ;;
    '"fail"') ask "POST /2018-06-01/runtime/invocation/$id/error" '"failed"' ;;
    '"hang"') while :; do :; done ;;
    *) ask "POST /2018-06-01/runtime/invocation/$id/response" "$answer" ;;
    esac
done
