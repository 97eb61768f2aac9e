# SPDX-License-Identifier: MPL-2.0
# Makes a C file of a page: cmake -D FROM=page.html -D TO=page.c -P embed.cmake
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "........................" "\\0\n" bytes "${bytes}")
string(REGEX REPLACE "[0-9a-f][0-9a-f]" "0x\\0, " bytes "${bytes}")
file(WRITE ${TO} "/* Made from page.html; do not edit. */

#include \"page.h\"

const unsigned char page[] = {
${bytes}};
const size_t page_len = sizeof(page);
")
