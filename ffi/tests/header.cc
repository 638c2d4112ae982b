// The header in C++: twice in one translation unit, and linked with C.
#include <kubepki.h>
#include <kubepki.h>

#include <cstdio>
#include <string>

int main() {
    kubepki_cluster *cluster = nullptr;
    kubepki_error *error = kubepki_cluster_new(KUBEPKI_LITERAL("no endpoint"), &cluster);
    const kubepki_text message = kubepki_error_message(error);
    const bool is_refused = kubepki_error_code(error) == KUBEPKI_ERROR_INVALID && cluster == nullptr;
    std::puts(std::string(message.data, message.len).c_str());
    kubepki_error_free(error);
    return is_refused ? 0 : 1;
}
