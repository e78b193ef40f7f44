LEVEL = "user‮ ⁦# admin⁩ ⁦"

