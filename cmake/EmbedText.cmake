# cmake -DINPUT=… -DOUTPUT=… -DNAME=kSomething -P EmbedText.cmake: a text file as a C++ constant of muster::base.
#
# In pieces, since compilers bound the length of one literal.
file(READ "${INPUT}" _text)
string(LENGTH "${_text}" _length)
set(_pieces "")
set(_at 0)
while(_at LESS _length)
  string(SUBSTRING "${_text}" ${_at} 8000 _piece)
  string(APPEND _pieces "    R\"MUSTER(${_piece})MUSTER\"\n")
  math(EXPR _at "${_at} + 8000")
endwhile()
file(WRITE "${OUTPUT}" "#include <string_view>\nnamespace muster::base {\nextern const std::string_view ${NAME};\nconst std::string_view ${NAME} =\n${_pieces}    ;\n}  // namespace muster::base\n")
