# SPDX-License-Identifier: MPL-2.0
# Functions that not every C library has: each is used in one file, which knows what
# to do without. For all targets of the folder that includes this file.
include(CheckSymbolExists)
function(optional_function name header file)
  set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
  set(CMAKE_REQUIRED_LIBRARIES ${CMAKE_DL_LIBS})
  string(TOUPPER HAVE_${name} have)
  check_symbol_exists(${name} ${header} ${have})
  if(${have})
    set_source_files_properties("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${file}" PROPERTIES
      COMPILE_DEFINITIONS ${have})
  endif()
endfunction()
optional_function(dladdr1 dlfcn.h modules/symbol_size.c)
optional_function(malloc_trim malloc.h loop/heap_return.c)
optional_function(on_exit stdlib.h loop/at_exit.c)
