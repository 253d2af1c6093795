# cmake "-DINPUTS=X.spv;…" -D OUTPUT=….cc -P EmbedSpirv.cmake: SPIR-V modules as the constants behind muster::physical::SpirvModules().
set(constants "")
set(entries "")
set(count 0)
foreach(input IN LISTS INPUTS)
  get_filename_component(name ${input} NAME_WE)
  file(READ ${input} bytes HEX)
  # Little-endian words, twelve a line.
  string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1," words "${bytes}")
  set(word "0x........,")
  string(REGEX REPLACE "(${word}${word}${word}${word}${word}${word}${word}${word}${word}${word}${word}${word})" "\\1\n" words "${words}")
  string(APPEND constants "constexpr uint32_t k_${name}[] = {\n${words}};\n")
  string(APPEND entries "      {\"${name}\", k_${name}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"suites/physical/spirv_modules.h\"

namespace muster::physical {
namespace {
${constants}}  // namespace

std::vector<SpirvModule> SpirvModules() {
  return {
${entries}  };
}

}  // namespace muster::physical
")
