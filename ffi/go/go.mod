module kubepki

go 1.24
